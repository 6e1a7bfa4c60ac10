"""Rate limiting: sliding windows, atomic and process-local counters, client addresses."""
