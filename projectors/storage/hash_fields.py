"""Writes of hash fields, split so that no command has too many arguments."""

from collections.abc import Iterator, Mapping

from projectors.storage.shard import Write

# Redis passes a script's command its arguments on Lua's stack, which holds some thousands.
_FIELDS_AT_ONCE = 500


def hash_writes(
    key: str, values: Mapping[int, str | None] | Mapping[str, str | None]
) -> Iterator[Write]:
    """The commands that set the fields of a hash and delete those whose value is None."""
    changed: list[str | int] = []
    deleted: list[str | int] = []
    for field, value in values.items():
        if value is None:
            deleted.append(field)
        else:
            changed += (field, value)
    for at in range(0, len(changed), _FIELDS_AT_ONCE):
        yield ("HSET", key, *changed[at : at + _FIELDS_AT_ONCE])
    for at in range(0, len(deleted), _FIELDS_AT_ONCE):
        yield ("HDEL", key, *deleted[at : at + _FIELDS_AT_ONCE])
