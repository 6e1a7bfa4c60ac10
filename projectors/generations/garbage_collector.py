"""Garbage collector of generations: drops what was kept long enough, and orphans.

A generation that answered before is kept level for a while, then it is dropped. An orphan is one
that does not answer and that no worker, rebuild or pointer needs (left by a crash between two
steps, or by a Redis that lost the pointers). A worker that was suspended may still write to a
dropped generation, so it is checked for another hour.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import time

from django.db import close_old_connections

from events.store.generations import Generation, generations, mark_dropped
from infra import clients
from infra.config import config
from projectors.errors import TRANSIENT_ERRORS
from projectors.generations.pointers import Pointers, PointerSnapshot
from projectors.storage.read_model import ReadModel

log = logging.getLogger(__name__)

_POLL_SECONDS = 5.0
_ORPHANS_EVERY = 12
"""Polls: orphans are searched for once a minute."""

_ORPHANED_AFTER = timedelta(minutes=10)
"""A process that takes a number sets its pointer in Redis at once."""
_CHECKED_AFTER_DROP = timedelta(hours=1)


class StillNeeded(Exception):
    """The generation is live, or about to be."""


def drop(model: ReadModel, pointers: Pointers) -> int:
    """Remove all data of a generation; the number of its keys. Idempotent.

    Raises StillNeeded for one that is live, coming or joining.
    """
    name, number = model.name, model.generation
    snapshot = pointers.snapshot()
    _refuse_if_needed(name, number, snapshot)
    for (label, other), of in snapshot.past.items():
        if (other, of) == (name, number):
            pointers.forget(label, name)
    pointers.release(name, number)
    # Now that it is not kept, it can't be switched to; but it may have been a moment ago.
    _refuse_if_needed(name, number, pointers.snapshot())
    pointers.forget_followed(name, number)
    keys = model.drop()
    mark_dropped(name, number)
    return keys


def _refuse_if_needed(name: str, number: int, snapshot: PointerSnapshot) -> None:
    if snapshot.live.get(name) == number:
        raise StillNeeded(f"{name} {number} is the live generation")
    if number in (snapshot.coming.get(name), snapshot.joining.get(name)):
        raise StillNeeded(f"{name} {number} is about to become live")


class GenerationCollector:
    def __init__(self, kinds: Iterable[type[ReadModel]], pointers: Pointers) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._pointers = pointers

    def drop_expired(self) -> None:
        snapshot = self._pointers.snapshot()
        for (name, number), until in snapshot.kept.items():
            if name not in self._kinds or until > time() or snapshot.live.get(name) == number:
                continue
            if self._pointers.release_if_over(name, number):  # else it is being switched to
                self._drop(name, number, "kept long enough")

    def drop_orphans(self) -> None:
        """Drop orphans, and once more what was dropped lately."""
        snapshot = self._pointers.snapshot()
        now = datetime.now(UTC)
        for generation in generations(self._kinds):
            if is_orphan(generation, snapshot, now) or self._came_back(generation, snapshot):
                self._drop(generation.model, generation.number, "orphan")

    def _came_back(self, generation: Generation, snapshot: PointerSnapshot) -> bool:
        """Whether its data is back, because Redis was killed after the drop."""
        if generation.dropped_at is None or generation.model not in snapshot.live:
            return False
        model = self._kinds[generation.model](clients.redis(), generation.number)
        return any(model.checkpoints(config().partitions))

    def _drop(self, name: str, number: int, why: str) -> None:
        try:
            keys = drop(self._kinds[name](clients.redis(), number), self._pointers)
        except StillNeeded:
            return  # it was switched to meanwhile, or came back with its pointer
        if keys:
            log.info("Dropped %s generation %d (%s): %d keys", name, number, why, keys)


def is_orphan(generation: Generation, snapshot: PointerSnapshot, now: datetime) -> bool:
    """Whether a generation may have data that nothing needs."""
    if generation.model not in snapshot.live or snapshot.holds(generation.model, generation.number):
        return False
    if generation.dropped_at is not None:
        return now - generation.dropped_at < _CHECKED_AFTER_DROP
    if generation.purpose != "live" and generation.finished_at is None:
        return False  # a rebuild fills it, or can be resumed
    return now - (generation.finished_at or generation.made_at) >= _ORPHANED_AFTER


@contextmanager
def collecting_garbage(
    kinds: Sequence[type[ReadModel]], also: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Collect garbage in a thread of its own as long as the block lasts.

    ``also`` is called at every poll.
    """
    done = Event()
    collector = GenerationCollector(kinds, Pointers(clients.redis()))
    thread = Thread(
        target=_collect_garbage, args=(collector, also, done), name="collector", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=10)


def _collect_garbage(collector: GenerationCollector, also: Callable[[], None], done: Event) -> None:
    turn = 0
    while not done.wait(_POLL_SECONDS):
        turn += 1
        try:
            collector.drop_expired()
            also()
            if turn % _ORPHANS_EVERY == 0:
                collector.drop_orphans()
        except Exception as error:  # without this thread nothing would ever be dropped
            is_bug = not isinstance(error, TRANSIENT_ERRORS)
            log.log(
                logging.ERROR if is_bug else logging.WARNING,
                "Garbage collection of generations failed%s, trying again in %.0f s: %s",
                *(" by a bug" if is_bug else "", _POLL_SECONDS, error),
                exc_info=is_bug,
            )
            close_old_connections()
    close_old_connections()
