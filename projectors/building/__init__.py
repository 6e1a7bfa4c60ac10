"""Builders: recompute derived data from a read model's state."""
