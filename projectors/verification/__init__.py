"""Verification: compares live read models with a fold of the event log."""
