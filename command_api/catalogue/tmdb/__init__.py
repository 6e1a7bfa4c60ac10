"""TMDb client: requests, rate limiter, responses and errors."""
