"""Trending: boards of the movies that get the most new ratings now."""
