"""Is it these events that fail, or would everything?

Before a stream is parked where nothing else succeeded, events around it are tried, without taking
them in. If one of them leads to something, the code is sound and the event is not. If nothing does
and enough streams have failed, the code does not fit the log: a whole deploy would be parked, so
the worker stops instead, with nothing more set aside.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import msgspec

from events.recorded import Recorded
from events.store import EventStore
from projectors.errors import TRANSIENT_ERRORS, RetryLater, StopProjector
from projectors.parking.bisect import PackEvents

ENOUGH = 20
"""Streams that failed, with no success among them. Fewer may be one bad user or movie."""

_AROUND, _ELSEWHERE = 500, 100
_LEAST_PAGES = 10
"""A movie that everyone rates may fill one partition's pages, but not so many."""


class CircuitBreaker:
    """What one model's failures add up to."""

    def __init__(self, model: str, store: EventStore) -> None:
        self._model = model
        self._store = store
        self._row: set[str] = set()

    def remember(self, parked: Iterable[str]) -> None:
        """Streams that failed under a worker before this one, perhaps in the same deploy."""
        self._row.update(parked)

    def clear(self) -> None:
        """Something succeeded."""
        self._row.clear()

    def check(self, failed: Iterable[str], batch: Sequence[Recorded], attempt: PackEvents) -> None:
        """Nothing in a batch succeeded, and these streams failed; raises Stop."""
        self._row.update(failed)
        row = set(self._row)
        for nth, page in enumerate(self._around(batch)):
            if nth >= _LEAST_PAGES and len(row) >= ENOUGH:
                break
            if any(_is_success(recorded, row, attempt) for recorded in page):
                self.clear()
                return
        if len(row) >= ENOUGH:
            raise StopProjector(
                f"{self._model} fails on everything: {len(row)} streams in a row, the last one"
                f" {batch[-1].stream}. Nothing more was parked."
            )

    def _around(self, batch: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
        """Events of the same partition, behind and before, then of the others."""
        first, last = batch[0], batch[-1]
        behind = max(0, first.offset - 1 - _AROUND)
        yield self._page(first.partition, behind, first.offset - 1 - behind)
        yield self._page(first.partition, last.offset, _AROUND)
        for nth in range(1, self._store.partitions):
            yield self._page((first.partition + nth) % self._store.partitions, 0, _ELSEWHERE)

    def _page(self, partition: int, after: int, limit: int) -> Sequence[Recorded]:
        with suppress(msgspec.ValidationError):  # who comes there will say so
            return self._store.page(partition, after=after, limit=limit) if limit else ()
        return ()


def _is_success(recorded: Recorded, row: set[str], attempt: PackEvents) -> bool:
    """Whether an event leads to something; if it fails, its stream is one of the row."""
    if recorded.stream in row:
        return False
    try:
        return bool(attempt([recorded]))
    except RetryLater:
        return False
    except (*TRANSIENT_ERRORS, StopProjector):
        raise
    except Exception:  # noqa: BLE001 - it fails like the others
        row.add(recorded.stream)
        return False
