"""Parked events: poison messages set aside by stream, and their retry."""
