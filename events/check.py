"""Is the log whole: dense, countable, and can every event still be read?"""

from collections.abc import Callable, Iterator

import msgspec

from events import codec
from events.recorded import Stored
from events.selection import since
from events.store import EventStore
from events.upcasters import UPCASTERS


def faults(store: EventStore, *, passed: Callable[[], object]) -> Iterator[str]:
    """Everything that is wrong; ``passed`` is called for each event."""
    for partition, head in enumerate(store.heads()):
        yield from _of_partition(store, partition, head, passed)


def _of_partition(
    store: EventStore, partition: int, head: int, passed: Callable[[], object]
) -> Iterator[str]:
    versions: dict[str, int] = {}
    offset = 0
    for stored in since(store, partition, 0):
        if stored.offset != offset + 1:
            yield f"{partition}: after offset {offset} comes {stored.offset}"
        offset = stored.offset
        version = versions.get(stored.stream, 0)
        if stored.version != version + 1:
            yield f"{_name(stored)}: version {stored.version} comes after {version}"
        versions[stored.stream] = stored.version
        yield from _of_event(stored)
        passed()
    if offset < head:  # there may be more than when the heads were asked for
        yield f"{partition}: the head says {head}, the last event is {offset}"
    elif offset > store.heads()[partition]:
        yield f"{partition}: the last event is {offset}, the head says {store.heads()[partition]}"


def _of_event(stored: Stored) -> Iterator[str]:
    try:
        said = codec.decode(stored.type, stored.data)
    except (msgspec.MsgspecError, ValueError, TypeError, KeyError) as error:
        yield f"{_name(stored)}: can't be read: {error}"
        return
    if stored.type not in UPCASTERS and stored.type != codec.type_of(said):
        yield f"{_name(stored)}: is kept as {stored.type}, says {codec.type_of(said)}"


def _name(stored: Stored) -> str:
    return f"{stored.partition}:{stored.offset} {stored.stream}"
