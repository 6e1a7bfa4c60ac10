"""Accounts: registration, passwords and names."""
