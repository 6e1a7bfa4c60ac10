"""How does a worker keep its read models level with the log?

    bus ──deliveries──▶ decode once ──▶ each follower, partition by partition ──▶ acknowledge
    log ──pages──────▶ decode once ──▶ each follower that is behind

The bus is a fast hint, the log the truth: at the start, after each new connection and every second
the worker compares checkpoints with the heads of the log and reads what is missing. Far behind, it
leaves the bus and follows the log in bulk. Without a bus it always follows the log.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from threading import Event
from time import monotonic, time

import msgspec
from django.db import Error as DatabaseError
from django.db import close_old_connections
from redis.exceptions import RedisError

from events import codec
from events.bus import Delivery, Subscription
from events.hints import Listener
from events.recorded import Recorded
from events.store import EventStore
from projectors.builder_thread import BuilderThread
from projectors.fates import Stop
from projectors.follower import PAGE, Follower
from projectors.level import Level
from projectors.live import Live

log = logging.getLogger(__name__)

FAR_BEHIND = 5000
"""Events behind: in bulk from the log they take less time than one by one from the bus."""
_NEARLY_LEVEL = 0.1
"""Of that. While events keep coming a worker is never quite level when it looks."""

_LOOK_SECONDS = 1.0
_POLL_SECONDS = 0.2
_TAKE = 1000


class Worker:
    """One process's followers and builders, fed from one set of queues or from the log."""

    def __init__(
        self,
        *,
        store: EventStore,
        live: Live,
        followers: Sequence[Follower],
        builders: Sequence[BuilderThread],
        subscription: Subscription | None,
        hints: Listener,
    ) -> None:
        self._store = store
        self._live = live
        self._followers = followers
        self._builders = {builder.name: builder for builder in builders}
        self._subscription = subscription
        self._hints = hints
        self._is_far_behind = False
        self._life = 0
        self._looked_at = float("-inf")
        self._levels = {follower.model.name: Level() for follower in followers}
        self._unswitched = {follower.model.name for follower in followers}

    def run(self, stopping: Event, *, is_current: Callable[[], bool]) -> None:
        """Work until told to stop, or until the generations it writes are not the ones to write."""
        if self._subscription:
            self._subscription.resume()  # the worker before this one may have left it paused
        while not stopping.is_set():
            try:
                if self._is_due() and not self._look(is_current):
                    return
                self._catch_up()
                self._take()
            except (DatabaseError, RedisError, OSError) as error:
                log.warning("Waiting for what is away: %s", error)
                close_old_connections()
                stopping.wait(_POLL_SECONDS)

    def _is_due(self) -> bool:
        return self._has_reconnected() or monotonic() - self._looked_at >= _LOOK_SECONDS

    def _has_reconnected(self) -> bool:
        """Whether messages come in anew: what passed meanwhile is only in the log."""
        if self._subscription is None or self._subscription.life == self._life:
            return False
        self._life = self._subscription.life
        return True

    def _look(self, is_current: Callable[[], bool]) -> bool:
        """Compare everything with the log; answers whether to go on."""
        at = time()
        heads = self._store.heads()
        for follower in self._followers:
            follower.look(heads)
        self._looked_at = monotonic()
        self._note_levels(at, heads)
        # For one that is stuck no way is better, and the others need not go it.
        able = [follower for follower in self._followers if not follower.stuck]
        self._choose_the_way(max((follower.lag(heads) for follower in able), default=0))
        return is_current()

    def _note_levels(self, at: float, heads: Sequence[int]) -> None:
        for follower in self._followers:
            name = follower.model.name
            level = self._levels[name]
            level.observe(at, heads)
            reached = level.reached(self._offsets(follower))
            if reached is None:
                continue
            self._live.mark_level([name], reached)
            if name in self._unswitched:
                self._live.switch(name, follower.model.generation)
                self._unswitched.discard(name)

    def _offsets(self, follower: Follower) -> Sequence[int]:
        """How far a model's answers are: its state, and what was built of it where that is read."""
        if follower.model.name not in self._builders:
            return follower.checkpoints
        return follower.model.built_offsets(self._store.partitions)

    def _choose_the_way(self, lag: int) -> None:
        """Far behind: the log in bulk, builders at rest. Nearly level: the bus, and builders."""
        if not self._is_far_behind and lag > FAR_BEHIND:
            log.info("%d events behind: following the log in bulk until level", lag)
            self._is_far_behind = True
            if self._subscription:
                self._subscription.pause()
            for builder in self._builders.values():
                builder.hold()
        elif self._is_far_behind and lag <= _NEARLY_LEVEL * FAR_BEHIND:
            log.info("Nearly level with the log")
            self._is_far_behind = False
            if self._subscription:
                self._subscription.resume()
            for builder in self._builders.values():
                builder.release()

    def _catch_up(self) -> None:
        """Read a page of each partition that some follower lacks, decoded once for all of them."""
        behind = set().union(*(f.behind for f in self._followers if not f.is_resting))
        stuck = set().union(*(f.stuck for f in self._followers))
        for partition in sorted(behind, key=stuck.__contains__):  # or it would rest before others
            followers = [f for f in self._followers if partition in f.behind and not f.is_resting]
            if followers:
                self._read_page(partition, followers)

    def _read_page(self, partition: int, followers: Sequence[Follower]) -> None:
        after = min(follower.checkpoints[partition] for follower in followers)
        try:
            page = self._store.page(partition, after=after, limit=PAGE)
        except msgspec.ValidationError as error:
            raise Stop(f"An event in partition {partition} behind {after}: {error}") from error
        for follower in followers:
            if len(page) < PAGE:
                follower.behind.discard(partition)
            if page and follower.checkpoints[partition] < page[-1].offset:
                follower.take(page)
        if page:
            self._wake_builders()

    def _take(self) -> None:
        if self._subscription is None or self._is_far_behind or not self._subscription.connected:
            self._wait_for_the_log()
        elif deliveries := self._subscription.take(limit=_TAKE, timeout_seconds=self._patience()):
            self._take_in(deliveries)
            self._subscription.ack_through(deliveries)

    def _patience(self) -> float:
        """How long to wait for the bus: not at all while there is something to read in the log."""
        if any(follower.behind and not follower.is_resting for follower in self._followers):
            return 0
        return _POLL_SECONDS if not any(f.behind for f in self._followers) else _POLL_SECONDS / 10

    def _wait_for_the_log(self) -> None:
        self._hints.wait(self._patience())
        heads = self._store.heads()
        for follower in self._followers:
            follower.compare(heads)

    def _take_in(self, deliveries: Iterable[Delivery]) -> None:
        for batch in _batches(deliveries):
            for follower in self._followers:
                follower.take(batch)
        self._wake_builders()

    def _wake_builders(self) -> None:
        for builder in self._builders.values():
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
