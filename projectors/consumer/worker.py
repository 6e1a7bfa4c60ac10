"""Worker: keeps the read models of one process up to date from the bus and the log.

    bus ──deliveries──▶ decode once ──▶ each follower, partition by partition ──▶ acknowledge
    log ──pages──────▶ decode once ──▶ each follower that is behind

The bus is fast, the log is the truth: at the start, after each reconnection and every second the
worker compares checkpoints with the heads of the log and reads what is missing. Far behind, or
while events are appended very fast, it leaves the bus and reads the log in bulk. Without a bus it
always reads the log.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from threading import Event
from time import monotonic, time

import msgspec
from django.db import Error as DatabaseError
from django.db import close_old_connections
from redis.exceptions import RedisError

from events import codec
from events.bus import Delivery, Subscription
from events.notifications import NotificationListener
from events.recorded import Recorded
from events.store import EventStore
from projectors.building.thread import BuilderThread
from projectors.consumer.assignments import (
    REPORTED_ROLES,
    AssignedGeneration,
    GenerationAssignments,
)
from projectors.consumer.follower import Follower, read_page
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers

log = logging.getLogger(__name__)

BULK_LAG = 5000
"""Events behind at which reading the log in bulk is faster than taking them from the bus."""
_RESUME_SHARE = 0.1
"""The share of both limits at which the bus is used again: under traffic the lag is never 0."""

BULK_EVENTS_PER_SECOND = 2000
"""A growth of the log that only an import causes. A choice: load on the command API reached
1,700 on 2 cores, an import 5,000 and more."""
_RESUME_RATE_SHARE = 0.5

_COMPARE_SECONDS = 1.0
_POLL_SECONDS = 0.2
_DELIVERIES_AT_ONCE = 1000


class Worker:
    """The generations of one process, fed from one set of queues or from the log."""

    def __init__(
        self,
        *,
        store: EventStore,
        live: Live,
        pointers: Pointers,
        assignments: GenerationAssignments,
        subscription: Subscription | None,
        notifications: NotificationListener,
    ) -> None:
        self._store = store
        self._live = live
        self._pointers = pointers
        self._assignments = assignments
        self._subscription = subscription
        self._notifications = notifications
        self._is_in_bulk = False
        self._connection_number = 0
        self._compared_at = float("-inf")
        self._heads: Sequence[int] = ()

    def run(self, stopping: Event) -> None:
        while not stopping.is_set():
            try:
                is_due = monotonic() - self._compared_at >= _COMPARE_SECONDS
                if self._has_reconnected() or is_due:
                    self._compare_with_log()
                self._read_missing_pages()
                self._consume()
            except (DatabaseError, RedisError, OSError) as error:
                log.warning("PostgreSQL, Redis or the bus is unavailable, trying again: %s", error)
                close_old_connections()
                stopping.wait(_POLL_SECONDS)

    @property
    def _followers(self) -> Sequence[Follower]:
        return [assigned.follower for assigned in self._assignments.assigned]

    @property
    def _builders(self) -> Iterable[BuilderThread]:
        return (each.builder for each in self._assignments.assigned if each.builder is not None)

    # ------------------------------------------------------------------------------ comparison

    def _has_reconnected(self) -> bool:
        """Whether the bus connection is new: events sent meanwhile are only in the log."""
        bus = self._subscription
        if bus is None or bus.connection_number == self._connection_number:
            return False
        self._connection_number = bus.connection_number
        return True

    def _compare_with_log(self) -> None:
        """Refresh the assignments, and compare all checkpoints with the heads of the log."""
        self._assignments.refresh()
        at = time()
        heads = self._store.heads()
        for follower in self._followers:
            follower.sync(heads)
        rate = self._events_per_second(heads)
        for assigned in self._assignments.assigned:
            assigned.watermark.observe(at, heads)
            self._report_watermark(assigned)
        ready = [each.generation_id for each in self._assignments.assigned if each.is_ready]
        self._pointers.note_followed(ready)
        self._choose_source(self._largest_lag(heads), rate)

    def _events_per_second(self, heads: Sequence[int]) -> float:
        """How fast the log has grown since the last comparison."""
        before, self._heads = self._heads, heads
        compared_at, self._compared_at = self._compared_at, monotonic()
        if not before:
            return 0
        return (sum(heads) - sum(before)) / max(self._compared_at - compared_at, _POLL_SECONDS)

    def _report_watermark(self, assigned: AssignedGeneration) -> None:
        """Store the moment that a generation has caught up with; one that is coming goes live."""
        reached = assigned.watermark.reached(assigned.offsets(self._store.partitions))
        if reached is None or assigned.role not in REPORTED_ROLES:
            return
        name, number = assigned.generation_id
        self._live.mark_level([name], reached)
        if assigned.role == "coming":
            self._pointers.switch({name: number})
            assigned.role = "live"

    def _largest_lag(self, heads: Sequence[int]) -> int:
        """Largest lag of the reported generations, except failing ones: bulk does not help them."""
        return max(
            (
                assigned.follower.lag(heads)
                for assigned in self._assignments.assigned
                if assigned.role in REPORTED_ROLES and not assigned.follower.failing
            ),
            default=0,
        )

    def _choose_source(self, lag: int, rate: float) -> None:
        """Read the log in bulk while far behind, with builders throttled; else use the bus."""
        is_behind = lag > BULK_LAG or rate > BULK_EVENTS_PER_SECOND
        has_caught_up = (
            lag <= BULK_LAG * _RESUME_SHARE and rate <= BULK_EVENTS_PER_SECOND * _RESUME_RATE_SHARE
        )
        if not self._is_in_bulk and is_behind:
            self._begin_bulk(lag, rate)
        elif self._is_in_bulk and has_caught_up:
            self._end_bulk()
        if self._is_in_bulk:
            for builder in self._builders:  # also those started since
                builder.throttle()

    def _begin_bulk(self, lag: int, rate: float) -> None:
        log.info("%d events behind, %d new a second: reading the log in bulk", lag, rate)
        self._is_in_bulk = True
        if self._subscription:
            self._subscription.pause()

    def _end_bulk(self) -> None:
        log.info("Caught up with the log")
        self._is_in_bulk = False
        if self._subscription:
            self._subscription.resume()
        for builder in self._builders:
            builder.unthrottle()

    # ------------------------------------------------------------------------------ events

    def _read_missing_pages(self) -> None:
        """Read a page of each partition that a follower lacks, decoded once for all followers."""
        behind = set().union(*(f.behind for f in self._followers if not f.is_backing_off))
        failing = set().union(*(f.failing for f in self._followers))
        # Failing partitions last: a failure makes the follower back off from all of them.
        for partition in sorted(behind, key=failing.__contains__):
            followers = [
                f for f in self._followers if partition in f.behind and not f.is_backing_off
            ]
            if followers and read_page(self._store, partition, followers):
                self._wake_builders()

    def _consume(self) -> None:
        """Take deliveries from the bus, or wait for new events in the log."""
        bus = self._subscription
        if bus is None or self._is_in_bulk or not bus.connected:
            self._wait_for_log()
        elif deliveries := bus.receive(
            limit=_DELIVERIES_AT_ONCE, timeout_seconds=self._wait_seconds()
        ):
            for batch in _batches(deliveries):
                for follower in self._followers:
                    follower.process(batch)
            self._wake_builders()
            bus.ack_through(deliveries)

    def _wait_seconds(self) -> float:
        """Seconds to wait for new events: none while a follower can read something in the log."""
        if any(follower.behind and not follower.is_backing_off for follower in self._followers):
            return 0
        return _POLL_SECONDS if not any(f.behind for f in self._followers) else _POLL_SECONDS / 10

    def _wait_for_log(self) -> None:
        self._notifications.wait(self._wait_seconds())
        heads = self._store.heads()
        for follower in self._followers:
            follower.note_heads(heads)

    def _wake_builders(self) -> None:
        for builder in self._builders:
            builder.wake()


def _batches(deliveries: Iterable[Delivery]) -> Iterable[list[Recorded]]:
    """Decode deliveries; yields runs of consecutive offsets of one partition."""
    by_partition: dict[int, dict[int, Recorded]] = defaultdict(dict)
    for delivery in deliveries:
        try:
            recorded = codec.from_wire(delivery.body)
        except msgspec.DecodeError as error:
            # If it was an event, the worker reads it from the log later.
            log.warning("Ignored a message that can't be decoded: %s", error)
            continue
        by_partition[recorded.partition][recorded.offset] = recorded
    for by_offset in by_partition.values():
        yield from _runs([by_offset[offset] for offset in sorted(by_offset)])


def _runs(events: Sequence[Recorded]) -> Iterable[list[Recorded]]:
    run = [events[0]]
    for recorded in events[1:]:
        if recorded.offset != run[-1].offset + 1:
            yield run
            run = []
        run.append(recorded)
    yield run
