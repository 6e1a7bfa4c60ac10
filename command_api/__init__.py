"""Command API: turns requests to change something into events in the log (hop 1)."""
