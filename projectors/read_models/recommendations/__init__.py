"""Recommendations: each user's list of movies, with reasons."""
