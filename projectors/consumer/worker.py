"""How does a worker keep its read models level with the log?

    bus ──deliveries──▶ decode once ──▶ each follower, partition by partition ──▶ acknowledge
    log ──pages──────▶ decode once ──▶ each follower that is behind

The bus is a fast hint, the log the truth: at the start, after each new connection and every second
the worker compares checkpoints with the heads of the log and reads what is missing. Far behind, or
while very much is appended, it leaves the bus and follows the log in bulk. Without a bus it always
follows the log.
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
from projectors.consumer.assignments import REPORTED_ROLES, AssignedGeneration, Assignments
from projectors.consumer.catch_up import read_page
from projectors.consumer.follower import Follower
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers

log = logging.getLogger(__name__)

FAR_BEHIND = 5000
"""Events behind: in bulk from the log they take less time than one by one from the bus."""
_NEARLY_LEVEL = 0.1
"""Of that. While events keep coming a worker is never quite level when it looks."""

MANY_A_SECOND = 2000
"""So many new events a second are an import. Chosen, not measured: people at the command API came
to 1,700 on 2 cores, an import to 5,000 and more."""

_LOOK_SECONDS = 1.0
_POLL_SECONDS = 0.2
_TAKE = 1000


class Worker:
    """One process's assignments, fed from one set of queues or from the log."""

    def __init__(
        self,
        *,
        store: EventStore,
        live: Live,
        pointers: Pointers,
        assignments: Assignments,
        subscription: Subscription | None,
        hints: NotificationListener,
    ) -> None:
        self._store = store
        self._live = live
        self._pointers = pointers
        self._assignments = assignments
        self._subscription = subscription
        self._hints = hints
        self._is_far_behind = False
        self._life = 0
        self._looked_at = float("-inf")
        self._heads: Sequence[int] = ()

    def run(self, stopping: Event) -> None:
        """Work until told to stop."""
        while not stopping.is_set():
            try:
                if self._is_due():
                    self._look()
                self._catch_up()
                self._take()
            except (DatabaseError, RedisError, OSError) as error:
                log.warning("Waiting for what is away: %s", error)
                close_old_connections()
                stopping.wait(_POLL_SECONDS)

    @property
    def _followers(self) -> Sequence[Follower]:
        return [member.follower for member in self._assignments.assigned]

    @property
    def _builders(self) -> Iterable[BuilderThread]:
        return (
            member.builder for member in self._assignments.assigned if member.builder is not None
        )

    def _is_due(self) -> bool:
        return self._has_reconnected() or monotonic() - self._looked_at >= _LOOK_SECONDS

    def _has_reconnected(self) -> bool:
        """Whether messages come in anew: what passed meanwhile is only in the log."""
        if self._subscription is None or self._subscription.connection_number == self._life:
            return False
        self._life = self._subscription.connection_number
        return True

    def _look(self) -> None:
        """See who is wanted, and compare everything with the log."""
        self._assignments.refresh()
        at = time()
        heads = self._store.heads()
        for follower in self._followers:
            follower.sync(heads)
        a_second = self._appended_a_second(heads)
        for member in self._assignments.assigned:
            member.watermark.observe(at, heads)
            self._note_level(member)
        self._pointers.note_followed(m.place for m in self._assignments.assigned if m.is_ready)
        # For one that is stuck no way is better, and the others need not go it; one that joins or
        # is kept has time.
        main = [
            member.follower
            for member in self._assignments.assigned
            if member.role in REPORTED_ROLES
        ]
        able = [follower for follower in main if not follower.failing]
        self._choose_the_way(max((follower.lag(heads) for follower in able), default=0), a_second)

    def _appended_a_second(self, heads: Sequence[int]) -> float:
        """How fast the log has grown since the last look."""
        before, self._heads = self._heads, heads
        looked_at, self._looked_at = self._looked_at, monotonic()
        if not before:
            return 0
        return (sum(heads) - sum(before)) / max(self._looked_at - looked_at, _POLL_SECONDS)

    def _note_level(self, member: AssignedGeneration) -> None:
        reached = member.watermark.reached(member.offsets(self._store.partitions))
        if reached is None or member.role not in REPORTED_ROLES:
            return
        name, number = member.place
        self._live.mark_level([name], reached)
        if member.role == "coming":
            self._pointers.switch({name: number})
            member.role = "live"

    def _choose_the_way(self, lag: int, a_second: float) -> None:
        """Far behind: the log in bulk, builders at rest. Nearly level: the bus, and builders."""
        is_much = lag > FAR_BEHIND or a_second > MANY_A_SECOND
        is_little = lag <= _NEARLY_LEVEL * FAR_BEHIND and a_second <= MANY_A_SECOND / 2
        if not self._is_far_behind and is_much:
            log.info(
                "%d events behind, %d a second: following the log in bulk until level",
                *(lag, a_second),
            )
            self._is_far_behind = True
            if self._subscription:
                self._subscription.pause()
        elif self._is_far_behind and is_little:
            log.info("Nearly level with the log")
            self._is_far_behind = False
            if self._subscription:
                self._subscription.resume()
            for builder in self._builders:
                builder.release()
        if self._is_far_behind:
            for builder in self._builders:  # those, too, that came since
                builder.hold()

    def _catch_up(self) -> None:
        """Read a page of each partition that some follower lacks, decoded once for all of them."""
        behind = set().union(*(f.behind for f in self._followers if not f.is_backing_off))
        stuck = set().union(*(f.failing for f in self._followers))
        for partition in sorted(behind, key=stuck.__contains__):  # or it would rest before others
            followers = [
                f for f in self._followers if partition in f.behind and not f.is_backing_off
            ]
            if followers and read_page(self._store, partition, followers):
                self._wake_builders()

    def _take(self) -> None:
        if self._subscription is None or self._is_far_behind or not self._subscription.connected:
            self._wait_for_the_log()
        elif deliveries := self._subscription.receive(
            limit=_TAKE, timeout_seconds=self._patience()
        ):
            self._take_in(deliveries)
            self._subscription.ack_through(deliveries)

    def _patience(self) -> float:
        """How long to wait for the bus: not at all while there is something to read in the log."""
        if any(follower.behind and not follower.is_backing_off for follower in self._followers):
            return 0
        return _POLL_SECONDS if not any(f.behind for f in self._followers) else _POLL_SECONDS / 10

    def _wait_for_the_log(self) -> None:
        self._hints.wait(self._patience())
        heads = self._store.heads()
        for follower in self._followers:
            follower.note_heads(heads)

    def _take_in(self, deliveries: Iterable[Delivery]) -> None:
        for batch in _batches(deliveries):
            for follower in self._followers:
                follower.process(batch)
        self._wake_builders()

    def _wake_builders(self) -> None:
        for builder in self._builders:
            builder.wake()


def _batches(deliveries: Iterable[Delivery]) -> Iterable[list[Recorded]]:
    """The deliveries' events, decoded, as runs of consecutive offsets of one partition."""
    by_partition: dict[int, dict[int, Recorded]] = defaultdict(dict)
    for delivery in deliveries:
        try:
            recorded = codec.from_wire(delivery.body)
        except msgspec.DecodeError as error:
            # Whatever it is: the log brings what it should have been.
            log.warning("A message that is none of ours, or newer than this worker: %s", error)
            continue
        by_partition[recorded.partition][recorded.offset] = recorded
    for found in by_partition.values():
        yield from _runs([found[offset] for offset in sorted(found)])


def _runs(events: Sequence[Recorded]) -> Iterable[list[Recorded]]:
    run = [events[0]]
    for recorded in events[1:]:
        if recorded.offset != run[-1].offset + 1:
            yield run
            run = []
        run.append(recorded)
    yield run
