"""Vault: a separate database of encryption keys, names and credentials.

Its tables are accessed only through the modules of this package.
"""
