"""HTTP building blocks of both APIs: problem details, OpenAPI, permissions, security headers, health."""
