"""How does an id lead to its owner's partition?

An id begins with the partition in three hexadecimal digits, so whoever has a playlist's id knows
where to look without asking anybody. The rest is random: an id can't be guessed.
"""

import re

from events.partition import partition_of

RANDOM_BYTES = 10
_FORM = re.compile(r"[0-9a-f]{23}", re.ASCII)
_PARTITION_DIGITS = 3


class InvalidPlaylistId(ValueError):
    """This was never given out as a playlist's id."""


def playlist_id(owner: str, partitions: int, random: bytes) -> str:
    """The id of an owner's new playlist."""
    return f"{partition_of(owner, partitions):0{_PARTITION_DIGITS}x}{random.hex()}"


def partition_of_playlist(playlist: str) -> int:
    """The partition that a playlist is in; raises InvalidPlaylistId."""
    if not _FORM.fullmatch(playlist):
        raise InvalidPlaylistId(playlist)
    return int(playlist[:_PARTITION_DIGITS], 16)
