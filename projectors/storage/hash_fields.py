"""How are the last values of a user's things written?"""

from collections.abc import Iterator, Mapping

from projectors.storage.shard import Write

# Redis hands a script's command its arguments on Lua's stack, which ends at some thousands.
_AT_ONCE = 500


def hash_writes(
    key: str, values: Mapping[int, str | None] | Mapping[str, str | None]
) -> Iterator[Write]:
    """The commands that set the fields of a hash, and remove those whose value is None."""
    kept: list[str | int] = []
    gone: list[str | int] = []
    for field, value in values.items():
        if value is None:
            gone.append(field)
        else:
            kept += (field, value)
    for at in range(0, len(kept), _AT_ONCE):
        yield ("HSET", key, *kept[at : at + _AT_ONCE])
    for at in range(0, len(gone), _AT_ONCE):
        yield ("HDEL", key, *gone[at : at + _AT_ONCE])
