"""HTTP of both APIs: problem details, OpenAPI, permissions, security headers, health."""
