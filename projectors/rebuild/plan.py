"""Plan: which generations a rebuild fills.

Those that an interrupted rebuild of the same kind left unfinished and that are not in use; else new
ones. Unfinished generations of other rebuilds are dropped.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

from events.store import EventStore
from events.store.generations import (
    Purpose,
    generations,
    mark_finished,
    new_generation,
    version_of,
)
from infra import clients
from projectors.generations.garbage_collector import drop
from projectors.generations.pointers import Pointers
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
    return {model.name: _number(model, pointers, label=label, until=until) for model in models}


def is_same_shape(model: ReadModel) -> bool:
    """Whether a generation was made by this version of its code."""
    return version_of(model.name, model.generation) == model.version


def _number(
    model: type[ReadModel], pointers: Pointers, *, label: str | None, until: datetime | None
) -> int:
    purpose: Purpose = "rebuild" if label is None else "past"
    name, snapshot = model.name, pointers.snapshot()
    if label is not None and (label, name) in snapshot.past:
        raise LabelTaken(
            f"{name} as of {label} exists already: drop it first (manage.py generations drop)."
        )
    resumed: int | None = None
    wanted = (model.version, label, until)
    for begun in reversed(generations([name])):
        if begun.purpose != purpose or begun.finished_at or begun.dropped_at:
            continue
        number = begun.number
        if snapshot.live.get(name) == number or (name, number) in snapshot.kept:
            mark_finished(name, number)  # the rebuild was killed just after the switch
        elif resumed is None and (begun.version, begun.label, begun.until) == wanted:
            resumed = number
        elif purpose == "rebuild":
            pointers.leave(name, number)
            drop(model(clients.redis(), number), pointers)
    return resumed or new_generation(
        name, version=model.version, purpose=purpose, label=label, until=until
    )


def offsets_at(store: EventStore, moment: datetime) -> list[int]:
    """The last offset of each partition that was recorded by then.

    Within a partition offsets are in the order of time, so a binary search finds it.
    """
    return [
        bisect_right(
            range(1, head + 1), moment.astimezone(UTC), key=partial(_recorded_at, store, partition)
        )
        for partition, head in enumerate(store.heads())
    ]


def _recorded_at(store: EventStore, partition: int, offset: int) -> datetime:
    [stored] = store.page_stored(partition, after=offset - 1, limit=1)
    return stored.recorded_at
