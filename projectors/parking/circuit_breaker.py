"""Circuit breaker: tells a poison event from a broken deploy.

Before a stream is parked where nothing else succeeded, events around it are tried, without applying
them. If one of them writes something, the code is sound and the event is at fault. If none does and
enough streams have failed, the code does not fit the log: it would park every stream. So the worker
stops instead, and nothing more is parked.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import msgspec

from events.recorded import Recorded
from events.store import EventStore
from projectors.errors import TRANSIENT_ERRORS, RetryLater, StopProjector
from projectors.parking.bisect import PackEvents

FAILED_STREAMS_LIMIT = 20
"""Streams that failed, with no success among them. Fewer may be one bad user or movie."""

_EVENTS_NEARBY, _EVENTS_OF_OTHER_PARTITION = 500, 100
_MIN_PAGES = 10
"""A movie that everyone rates may fill one partition's pages, but not so many."""


class CircuitBreaker:
    """The streams of one model that failed in a row."""

    def __init__(self, model: str, store: EventStore) -> None:
        self._model = model
        self._store = store
        self.failed_streams: set[str] = set()
        """Those that failed since the last success."""

    def reset(self) -> None:
        """Note a success."""
        self.failed_streams.clear()

    def check(
        self, failed: Iterable[str], batch: Sequence[Recorded], pack_events: PackEvents
    ) -> None:
        """Note that streams of a batch failed and nothing in it succeeded; raises StopProjector."""
        self.failed_streams.update(failed)
        tried = set(self.failed_streams)
        for nth, page in enumerate(self._pages_around(batch)):
            if nth >= _MIN_PAGES and len(tried) >= FAILED_STREAMS_LIMIT:
                break
            if any(_succeeds(recorded, tried, pack_events) for recorded in page):
                self.reset()
                return
        if len(tried) >= FAILED_STREAMS_LIMIT:
            raise StopProjector(
                f"{self._model} fails on everything: {len(tried)} streams in a row, the last one"
                f" {batch[-1].stream}. Nothing more was parked. Fix or roll back"
                " the code, then start the projector again."
            )

    def _pages_around(self, batch: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
        """Events of the same partition, before and after the batch, then of the others."""
        first, last = batch[0], batch[-1]
        before = max(0, first.offset - 1 - _EVENTS_NEARBY)
        yield self._page(first.partition, before, first.offset - 1 - before)
        yield self._page(first.partition, last.offset, _EVENTS_NEARBY)
        for nth in range(1, self._store.partitions):
            other = (first.partition + nth) % self._store.partitions
            yield self._page(other, 0, _EVENTS_OF_OTHER_PARTITION)

    def _page(self, partition: int, after: int, limit: int) -> Sequence[Recorded]:
        # An event that can't be decoded is reported by the worker that gets to it.
        with suppress(msgspec.ValidationError):
            return self._store.page(partition, after=after, limit=limit) if limit else ()
        return ()


def _succeeds(recorded: Recorded, failed: set[str], pack_events: PackEvents) -> bool:
    """Whether an event writes something; if it fails, its stream joins the ``failed``."""
    if recorded.stream in failed:
        return False
    try:
        return bool(pack_events([recorded]))
    except RetryLater:
        return False
    except (*TRANSIENT_ERRORS, StopProjector):
        raise
    except Exception:  # noqa: BLE001 - it fails like the others
        failed.add(recorded.stream)
        return False
