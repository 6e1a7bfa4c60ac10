"""Event consumption: the worker, its followers, batch application and watermarks."""
