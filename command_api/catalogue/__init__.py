"""Catalogue: the movies, their tables, and the commands that change them."""
