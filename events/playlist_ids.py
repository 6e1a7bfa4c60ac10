"""Playlist ids, which carry their owner's partition.

An id begins with the partition in three hexadecimal digits, so a playlist is found without a
look-up of its owner. The rest is random: an id can't be guessed.
"""

import re

from events.recorded import partition_of

RANDOM_BYTES = 10
_PATTERN = re.compile(r"[0-9a-f]{23}", re.ASCII)
_PARTITION_DIGITS = 3


class InvalidPlaylistId(ValueError):
    """The text is not a playlist id."""


def playlist_id(owner: str, partitions: int, random: bytes) -> str:
    """Make the id of an owner's new playlist."""
    return f"{partition_of(owner, partitions):0{_PARTITION_DIGITS}x}{random.hex()}"


def partition_of_playlist(playlist: str) -> int:
    """The partition of a playlist; raises InvalidPlaylistId."""
    if not _PATTERN.fullmatch(playlist):
        raise InvalidPlaylistId(playlist)
    return int(playlist[:_PARTITION_DIGITS], 16)
