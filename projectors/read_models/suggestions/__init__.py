"""Suggestions: titles while a user types."""
