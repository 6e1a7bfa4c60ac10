"""Embedded mode: the whole platform with nothing but Python.

On real engines all the same: PostgreSQL and Redis come as wheels, the search index is a library,
and the projectors follow the log, so no broker is needed.
"""
