"""Similarity: neighbours of each movie, by likes and content."""
