"""Where are the keys, names and credentials that must never be in the log?"""
