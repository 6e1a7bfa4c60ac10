"""What does it all run on? Knows nothing of what is above it."""
