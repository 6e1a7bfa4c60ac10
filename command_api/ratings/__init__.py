"""Ratings of movies, one at a time or imported in bulk."""
