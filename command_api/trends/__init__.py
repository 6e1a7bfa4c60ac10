"""Trends: observations of other sources' trending boards."""
