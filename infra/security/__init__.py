"""Access tokens, key files and signed values."""
