"""Plan: which generations a rebuild fills.

Those that an interrupted rebuild of the same kind left unfinished and that are not in use; else new
ones. Unfinished generations of other rebuilds are dropped.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from events.store import EventStore
from events.store.generations import (
    Purpose,
    generations,
    mark_finished,
    new_generation,
    unfinished,
    version_of,
)
from infra import clients
from projectors.generations.garbage_collector import drop
from projectors.generations.pointers import Pointers, PointerSnapshot
from projectors.storage.read_model import ReadModel


class LabelTaken(Exception):
    """A generation has this label already."""


def numbers(
    models: Iterable[type[ReadModel]],
    pointers: Pointers,
    *,
    label: str | None = None,
    until: datetime | None = None,
) -> dict[str, int]:
    """Model -> the number to fill. Raises LabelTaken."""
    purpose: Purpose = "rebuild" if label is None else "past"
    return {
        model.name: _number(model, pointers, purpose, label=label, until=until) for model in models
    }


def is_same_shape(model: ReadModel) -> bool:
    """Whether a generation was made by this version of its code."""
    return version_of(model.name, model.generation) == model.version


def _number(
    model: type[ReadModel],
    pointers: Pointers,
    purpose: Purpose,
    *,
    label: str | None,
    until: datetime | None,
) -> int:
    snapshot = pointers.snapshot()
    if label is not None and (label, model.name) in snapshot.past:
        raise LabelTaken(f"{model.name} as of {label}")
    begun = unfinished(model.name, version=model.version, purpose=purpose, label=label, until=until)
    if begun is not None and _is_used(snapshot, model.name, begun):
        mark_finished(model.name, begun)  # the rebuild was killed just after the switch
        begun = None
    number = begun or new_generation(
        model.name, version=model.version, purpose=purpose, label=label, until=until
    )
    if purpose == "rebuild":
        _drop_others(model, number, pointers)
    return number


def _is_used(snapshot: PointerSnapshot, name: str, number: int) -> bool:
    return snapshot.live.get(name) == number or (name, number) in snapshot.kept


def _drop_others(model: type[ReadModel], number: int, pointers: Pointers) -> None:
    """Drop what other rebuilds left unfinished."""
    snapshot = pointers.snapshot()
    for other in generations([model.name]):
        if (
            other.purpose == "rebuild"
            and other.number != number
            and other.finished_at is None
            and other.dropped_at is None
            and not _is_used(snapshot, model.name, other.number)
        ):
            pointers.leave(model.name, other.number)
            drop(model(clients.redis(), other.number), pointers)


def offsets_at(store: EventStore, moment: datetime) -> list[int]:
    """The last offset of each partition that was recorded by then.

    Within a partition offsets are in the order of time, so a binary search finds it.
    """
    return [
        _offset_at(store, partition, head, moment.astimezone(UTC))
        for partition, head in enumerate(store.heads())
    ]


def _offset_at(store: EventStore, partition: int, head: int, moment: datetime) -> int:
    low, high = 0, head  # low was recorded by then, high perhaps
    while low < high:
        middle = (low + high + 1) // 2
        if _recorded(store, partition, middle) <= moment:
            low = middle
        else:
            high = middle - 1
    return low


def _recorded(store: EventStore, partition: int, offset: int) -> datetime:
    [stored] = store.page_stored(partition, after=offset - 1, limit=1)
    return stored.recorded_at
