"""Relay: publishes the event log to the bus, in order and without a gap.

At least once: events that were not confirmed when a relay ended are sent again, and consumers drop
what they have taken in already. One thread reads, publishes and takes confirms (a second one costs
more than the reading it would hide); another only listens for notifications.
"""

import logging
from collections import Counter, deque
from collections.abc import Iterable
from threading import Event
from time import monotonic
from typing import NamedTuple

from django.db import Error as DatabaseError

from events import codec
from events.bus import BusLost, Publisher
from events.recorded import Position, Stored
from events.relay.confirms import ConfirmTracker
from events.relay.outbox import LeadershipLost, Outbox
from events.relay.wakeups import Wakeups
from infra.backoff import Backoff
from infra.observability import count, set_gauge

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_SAVE_SECONDS = 0.1
_REPORT_SECONDS = 10.0
_STANDBY_SECONDS = 0.5
_DRAIN_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0  # well below the time after which an idle session is ended
_SMALLEST_PAGE = 16


class BusTarget(NamedTuple):
    """Where to publish, and how many messages may wait for a confirm."""

    url: str
    namespace: str
    window: int


class Relay:
    """Publishes while it leads; stands by while another relay does. ``stop`` ends ``run``."""

    def __init__(self, outbox: Outbox, bus: BusTarget, wakeups: Wakeups) -> None:
        self._outbox = outbox
        self._bus = bus
        self._wakeups = wakeups
        self._stopping = Event()
        self._log_backoff = _backoff()

    def run(self) -> None:
        """Relay until ``stop``; waits for a database or a broker that is away."""
        while not self._stopping.is_set():
            try:
                self._lead()
            except LeadershipLost:
                count("marquee_relay_total", outcome="deposed")
                log.warning("Another relay took over the leadership.")
            except DatabaseError as error:
                count("marquee_relay_total", outcome="log_lost")
                log.warning("The event log can't be reached; trying again: %s", error)
            finally:
                self._outbox.close()
            self._stopping.wait(self._log_backoff.next_seconds())

    def stop(self) -> None:
        """End soon: wait a moment for confirms, save the cursors, leave."""
        self._stopping.set()
        self._wakeups.wake()

    def _lead(self) -> None:
        while (epoch := self._outbox.acquire_leadership()) is None:
            if self._stopping.wait(_STANDBY_SECONDS):
                return
        log.info("Leading with epoch %s; backlog of %s events.", epoch, self._outbox.backlog())
        self._log_backoff.reset()
        backoff = _backoff()
        while not self._stopping.is_set():
            session = _BusSession(self._outbox, epoch, self._bus, self._wakeups)
            try:
                session.run(self._stopping)
            except BusLost as lost:
                count("marquee_relay_total", outcome="bus_lost")
                log.warning("AMQP connection lost; connecting again: %s", lost)
            if session.has_connected:
                backoff.reset()
            self._stopping.wait(backoff.next_seconds())


def _backoff() -> Backoff:
    return Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)


class _Message(NamedTuple):
    position: Position
    type: str
    body: bytes


class _BusSession:
    """Relaying over one connection to the bus: from the cursors on, until it is lost."""

    def __init__(self, outbox: Outbox, epoch: int, bus: BusTarget, wakeups: Wakeups) -> None:
        self.has_connected = False
        self._outbox = outbox
        self._epoch = epoch
        self._window = bus.window
        self._wakeups = wakeups
        self._tracker = ConfirmTracker(outbox.cursors())
        self._unread: set[int] = set()
        self._waiting: deque[_Message] = deque()
        self._next_poll = self._next_save = 0.0
        self._throughput = _Throughput(outbox)
        self._publisher = Publisher(bus.url, bus.namespace, window=bus.window)
        wakeups.on_wake(self._publisher.wake)

    def run(self, stopping: Event) -> None:
        """Relay until a stop is requested. Raises BusLost, LeadershipLost or DatabaseError."""
        try:
            while not stopping.is_set():
                self._read()
                self._send()
                self._poll()
            self._drain()
        except BusLost:
            self._save()
            raise
        finally:
            self._wakeups.on_wake(None)
            self._publisher.close()

    def _read(self) -> None:
        """Read new events from the log, unless enough are waiting."""
        # Anyone may publish on the Redis channel; unknown partitions must not end the relay.
        self._unread |= self._wakeups.take() & set(range(len(self._tracker.read_offsets)))
        if monotonic() >= self._next_poll:
            self._next_poll = monotonic() + _POLL_SECONDS
            self._unread.update(range(len(self._tracker.read_offsets)))
            self._outbox.check_epoch(self._epoch)
        if self._unread and self._has_room():
            after = {partition: self._tracker.read_offsets[partition] for partition in self._unread}
            limit = max(2 * self._window // len(after), _SMALLEST_PAGE)
            self._enqueue(self._outbox.unsent(after, limit=limit), limit)

    def _enqueue(self, events: Iterable[Stored], limit: int) -> None:
        counts: Counter[int] = Counter()
        for stored in events:
            position = Position(stored.partition, stored.offset)
            self._tracker.track(position)
            self._waiting.append(_Message(position, stored.type, codec.to_wire(stored)))
            counts[stored.partition] += 1
        self._unread = {partition for partition, number in counts.items() if number == limit}

    def _has_room(self) -> bool:
        return len(self._waiting) < self._window

    def _send(self) -> None:
        for _ in range(min(self._publisher.capacity, len(self._waiting))):
            self._publisher.publish(*self._waiting.popleft())

    def _poll(self) -> None:
        """Let the connection work; wake-ups and confirms end the wait."""
        self.has_connected = self.has_connected or self._publisher.is_ready
        can_read_on = self._unread and self._has_room()
        confirmed = self._publisher.poll(0 if can_read_on else _SAVE_SECONDS)
        for position in confirmed:
            self._tracker.confirm(position)
        self._throughput.add(len(confirmed))
        if monotonic() >= self._next_save:
            self._save()

    def _save(self) -> None:
        self._next_save = monotonic() + _SAVE_SECONDS
        cursors = self._tracker.unsaved_cursors()
        if cursors:
            self._outbox.save_cursors(self._epoch, cursors)
            self._tracker.mark_saved(cursors)

    def _drain(self) -> None:
        until = monotonic() + _DRAIN_SECONDS
        while self._publisher.unconfirmed and monotonic() < until:
            self._poll()
        self._save()


class _Throughput:
    """Relay metrics, and a log line every few seconds while there is work."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._since = monotonic()
        self._relayed = 0

    def add(self, confirmed: int) -> None:
        """Count confirmed events."""
        if confirmed:
            count("marquee_relay_total", confirmed, outcome="confirmed")
            self._relayed += confirmed
        if monotonic() - self._since >= _REPORT_SECONDS:
            self._report()

    def _report(self) -> None:
        backlog = self._outbox.backlog()
        set_gauge("marquee_relay_behind", backlog)
        if self._relayed:
            rate = round(self._relayed / (monotonic() - self._since))
            log.info("Relayed %s events, %s a second; backlog of %s.", self._relayed, rate, backlog)
        self._since, self._relayed = monotonic(), 0
