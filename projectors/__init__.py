"""Projectors: apply the event log to read models and keep them level."""
