"""Embedded mode: the whole platform, installed by pip alone.

It runs on real engines: PostgreSQL and Redis come as wheels, the search index is a library,
and the projectors follow the log, so no broker is needed.
"""
