"""Playlists: the public ones, newest first, and search in their names."""
