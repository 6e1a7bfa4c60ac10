"""Partitioning: which partition of the log an owner's events are in."""

from hashlib import sha256


def partition_of(owner: str, partitions: int) -> int:
    """The partition (0..partitions-1) of an owner: a user's id, a movie's, a board's name."""
    return int.from_bytes(sha256(owner.encode()).digest()[:4]) % partitions
