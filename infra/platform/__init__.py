"""Runs all processes of the platform on one machine."""
