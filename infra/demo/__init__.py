"""Demo: a tour of the platform's features that fails at the first that does not work."""
