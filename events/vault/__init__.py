"""Where are the keys, names and credentials that must never be in the log?

A database of its own. What others may ask of it stands in ``subjects`` (a person's row),
``families`` (log-ins) and ``sealing`` (personal fields); nobody else touches its tables.
"""
