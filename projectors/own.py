"""How are the last values of a user's things written?"""

from collections.abc import Iterator, Mapping
from itertools import islice

from projectors.shard import Write

# Redis hands a script's command its arguments on Lua's stack, which ends at some thousands.
_AT_ONCE = 500


def last_values(key: str, values: Mapping[int, str | None]) -> Iterator[Write]:
    """The commands that set the fields of a hash, and remove those whose value is None."""
    kept = ((field, value) for field, value in values.items() if value is not None)
    gone = (field for field, value in values.items() if value is None)
    while some := list(islice(kept, _AT_ONCE)):
        yield ("HSET", key, *(part for pair in some for part in pair))
    while less := list(islice(gone, _AT_ONCE)):
        yield ("HDEL", key, *less)
