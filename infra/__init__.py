"""Foundation of all other packages: settings, clients, HTTP, security, services, tools."""
