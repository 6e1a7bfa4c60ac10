"""HTTP side of commands: view base class, idempotency keys, request bodies, If-Match, CORS."""
