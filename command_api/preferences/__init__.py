"""Preferences: favourite genres, visibility of activity, recommendation strategy."""
