"""Imports: catalogue files, MovieLens releases and simulated ratings become events."""
