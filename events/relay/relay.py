"""How does the log get onto the bus, in order and without a gap?

At least once: what was not known to be on the bus when a relay ended is sent again, and those who
take it drop what they have seen. One thread reads, publishes and takes confirms (a second one costs
more than the reading it would hide); another only waits for hints.
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
from events.relay.confirms import Progress
from events.relay.outbox import Deposed, Outbox
from events.relay.wakeups import News
from infra.observability import count, set_gauge

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_NOTE_SECONDS = 0.1
_REPORT_SECONDS = 10.0
_STANDBY_SECONDS = 0.5
_DRAIN_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0  # well below the time after which an idle session is ended
_SMALLEST_PAGE = 16


class Bus(NamedTuple):
    """Where to publish."""

    url: str
    namespace: str
    window: int


class Relay:
    """Leads whenever no other relay does; ``stop`` ends ``run``, in good order."""

    def __init__(self, outbox: Outbox, bus: Bus, news: News) -> None:
        self._outbox = outbox
        self._bus = bus
        self._news = news
        self._stopping = Event()

    def run(self) -> None:
        """Relay until told to stop; neither database nor broker need be there."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                self._lead_if_free()
                pause_seconds = _FIRST_PAUSE_SECONDS
            except Deposed:
                count("marquee_relay_total", outcome="deposed")
                log.warning("Another relay took the lead.")
            except DatabaseError as error:
                count("marquee_relay_total", outcome="log_lost")
                log.warning("The log can't be reached, trying again: %s", error)
                pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
            finally:
                self._outbox.close()
            self._stopping.wait(pause_seconds)

    def stop(self) -> None:
        """End soon: wait a moment for confirms, write the cursor down, leave."""
        self._stopping.set()
        self._news.wake()

    def _lead_if_free(self) -> None:
        while (epoch := self._outbox.lead()) is None:
            if self._stopping.wait(_STANDBY_SECONDS):
                return
        log.info("Leading, epoch %s, %s events behind.", epoch, self._outbox.behind())
        pause_seconds = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            leg = _Leg(self._outbox, epoch, self._bus, self._news)
            try:
                leg.run(self._stopping)
            except BusLost as lost:
                count("marquee_relay_total", outcome="bus_lost")
                log.warning("Not on the bus, trying again: %s", lost)
            if leg.has_begun:
                pause_seconds = _FIRST_PAUSE_SECONDS
            self._stopping.wait(pause_seconds)
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)


class _Message(NamedTuple):
    position: Position
    type: str
    body: bytes


class _Leg:
    """The way with one connection to the bus: from the cursors on, until it is lost."""

    def __init__(self, outbox: Outbox, epoch: int, bus: Bus, news: News) -> None:
        self.has_begun = False
        self._outbox = outbox
        self._epoch = epoch
        self._window = bus.window
        self._news = news
        self._progress = Progress(outbox.cursors())
        self._behind: set[int] = set()
        self._waiting: deque[_Message] = deque()
        self._next_poll = self._next_note = 0.0
        self._report = _Report(outbox)
        self._publisher = Publisher(bus.url, bus.namespace, window=bus.window)
        news.on_wake(self._publisher.wake)

    def run(self, stopping: Event) -> None:
        """Relay until told to stop. Raises BusLost, Deposed or DatabaseError."""
        try:
            while not stopping.is_set():
                self._read()
                self._send()
                self._turn()
            self._drain()
        except BusLost:
            self._note()
            raise
        finally:
            self._news.on_wake(None)
            self._publisher.close()

    def _read(self) -> None:
        """Take what is new from the log, unless there is enough in hand."""
        # Whoever may speak on the channel must not be able to end the relay by it.
        self._behind |= self._news.take() & set(range(len(self._progress.taken)))
        if monotonic() >= self._next_poll:
            self._next_poll = monotonic() + _POLL_SECONDS
            self._behind.update(range(len(self._progress.taken)))
            self._outbox.renew(self._epoch)
        if self._behind and self._has_room():
            after = {partition: self._progress.taken[partition] for partition in self._behind}
            limit = max(2 * self._window // len(after), _SMALLEST_PAGE)
            self._take(self._outbox.unsent(after, limit=limit), limit)

    def _take(self, events: Iterable[Stored], limit: int) -> None:
        found: Counter[int] = Counter()
        for stored in events:
            position = Position(stored.partition, stored.offset)
            self._progress.take(position)
            self._waiting.append(_Message(position, stored.type, codec.to_wire(stored)))
            found[stored.partition] += 1
        self._behind = {partition for partition, number in found.items() if number == limit}

    def _has_room(self) -> bool:
        return len(self._waiting) < self._window

    def _send(self) -> None:
        for _ in range(min(self._publisher.room, len(self._waiting))):
            self._publisher.publish(*self._waiting.popleft())

    def _turn(self) -> None:
        """Let the connection work; ``news`` and confirms end the wait."""
        self.has_begun = self.has_begun or self._publisher.is_ready
        can_go_on = self._behind and self._has_room()
        confirmed = self._publisher.turn(0 if can_go_on else _NOTE_SECONDS)
        for position in confirmed:
            self._progress.confirm(position)
        self._report.add(len(confirmed))
        if monotonic() >= self._next_note:
            self._note()

    def _note(self) -> None:
        """Write the cursors down."""
        self._next_note = monotonic() + _NOTE_SECONDS
        moved = self._progress.moved()
        if moved:
            self._outbox.move(self._epoch, moved)
            self._progress.note(moved)

    def _drain(self) -> None:
        until = monotonic() + _DRAIN_SECONDS
        while self._publisher.under_way and monotonic() < until:
            self._turn()
        self._note()


class _Report:
    """What those who run it are told: metrics, and a line now and then while there is work."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._since = monotonic()
        self._relayed = 0

    def add(self, confirmed: int) -> None:
        """So many more are on the bus."""
        if confirmed:
            count("marquee_relay_total", confirmed, outcome="confirmed")
            self._relayed += confirmed
        if monotonic() - self._since >= _REPORT_SECONDS:
            self._tell()

    def _tell(self) -> None:
        behind = self._outbox.behind()
        set_gauge("marquee_relay_behind", behind)
        if self._relayed:
            rate = round(self._relayed / (monotonic() - self._since))
            log.info("Relayed %s events, %s a second; %s behind.", self._relayed, rate, behind)
        self._since, self._relayed = monotonic(), 0
