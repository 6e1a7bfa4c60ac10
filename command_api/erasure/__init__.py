"""Erasure of a user and their personal data."""
