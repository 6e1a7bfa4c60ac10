"""HTTP of the command API: views, idempotency keys, request bodies, If-Match, CORS, revoked tokens."""
