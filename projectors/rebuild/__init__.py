"""Rebuild: builds new generations of read models from the log while the live ones answer.

plan         selects the generations to fill: new ones, or those of an interrupted rebuild
backfill     fills their state from the log, partitions in parallel processes
derive       builds the derived data once their state is nearly level
comparison   compares the new generation with the live one at the same offsets
cutover      hands them to the workers, then switches one pointer
"""
