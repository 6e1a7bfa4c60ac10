"""Playlists: named, ordered lists of movies."""
