"""Supervisor: starts processes in order, restarts those that end, stops all at its end."""

import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import SubprocessError
from threading import Event, Thread
from types import TracebackType
from typing import IO, Protocol, Self, TypeAlias

from infra.backoff import Backoff
from infra.platform.processes import Process
from infra.services.errors import DidNotStart, ServiceError

IsReady: TypeAlias = Callable[[], bool]
Say: TypeAlias = Callable[[str, str], None]

READY_SECONDS = 120.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
SETTLED_SECONDS = 30.0
"""A process that ran for so long has its back-off reset."""

_LOOK_SECONDS = 0.1
_LAST_LINES = 3


class Stopped(Exception):
    """A stop was requested during a start or a step."""


class Supervised(Protocol):
    """A process or server that can be restarted."""

    @property
    def name(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def log(self) -> Path: ...
    @property
    def how_it_ended(self) -> str: ...
    def has_ended(self) -> bool: ...
    def end_leftovers(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def last_words(self, lines: int = ...) -> str: ...


@dataclass
class Member:
    """A supervised process, its readiness check and its back-off."""

    process: Supervised
    is_ready: IsReady | None = None
    """Whether it answers; None: it is ready when it runs."""
    before: Callable[[], None] | None = None
    """Removes files that a killed one left behind."""
    backoff: Backoff = field(
        default_factory=lambda: Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    )
    began: float = 0.0
    again_at: float | None = None
    """When it is restarted, while it is down."""

    def start(self) -> None:
        """End leftovers of an earlier one and start it."""
        self.began = time.monotonic()
        self.process.end_leftovers()
        if self.before:
            self.before()
        self.process.start()
        self.again_at = None

    def rest(self, now: float) -> float:
        """Back-off after it ended: seconds until its restart, doubled each time it ends soon."""
        if now - self.began >= SETTLED_SECONDS:
            self.backoff.reset()
        pause = self.backoff.next_seconds()
        self.again_at = now + pause
        return pause


def _silent(_subject: str, _news: str) -> None:
    """Discard progress messages."""


@dataclass
class Supervisor:
    """Owns processes as long as its block lasts, all in one thread.

    A process ends with the thread that started it, so use the main thread.
    """

    stopping: Event = field(default_factory=Event)
    say: Say = _silent
    _members: list[Member] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop what was started last first."""
        while self._members:
            self._members.pop().process.stop()

    def watch(self, servers: Sequence[Supervised]) -> None:
        """Restart these, which run already, when they end."""
        self._members += [Member(server) for server in servers]

    def bring_up(self, members: Sequence[Member]) -> None:
        """Start them side by side and wait until each is ready.

        Raises DidNotStart with the last lines of a process that ended; Stopped.
        """
        for member in members:
            self._members.append(member)
            _start_a_log(member.process.log)
            member.start()
        deadline = time.monotonic() + READY_SECONDS
        for member in members:
            self._wait_until_ready(member, members, deadline)

    def keep_up(self) -> None:
        """Restart processes that end, until a stop is requested."""
        while not self.stopping.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Restart ended processes whose back-off is over."""
        now = time.monotonic()
        for member in self._members:
            if member.again_at is None and member.process.has_ended():
                self._tell_end(member, member.rest(now))
            elif member.again_at is not None and now >= member.again_at:
                self._start_again(member)

    def run(self, process: Process) -> int:
        """Run a process to its end while the others are supervised; return its exit status.

        Its output is shown. Raises Stopped, after ending it.
        """
        _start_a_log(process.log)
        process.start()
        try:
            with process.log.open(errors="replace") as log:
                while not process.has_ended():
                    if self.stopping.wait(_LOOK_SECONDS):
                        raise Stopped
                    self.look()
                    self._tell_new(process.name, log)
                self._tell_new(process.name, log)
            return process.status
        finally:
            process.stop()

    def _tell_new(self, name: str, log: IO[str]) -> None:
        for line in log.read().splitlines():
            self.say(name, line.rstrip())

    def _start_again(self, member: Member) -> None:
        try:
            member.start()
        except (OSError, ServiceError, SubprocessError) as error:
            self.say(member.process.name, f"could not be restarted: {error}")
            member.rest(time.monotonic())
        else:
            self.say(member.process.name, "restarted")

    def _tell_end(self, member: Member, pause_seconds: float) -> None:
        process = member.process
        self.say(process.name, f"ended ({process.how_it_ended}); restart in {pause_seconds:.1f} s")
        for line in process.last_words(_LAST_LINES).splitlines():
            self.say(process.name, f"  {line}")

    def _wait_until_ready(self, member: Member, members: Sequence[Member], deadline: float) -> None:
        while True:
            for other in members:
                if other.process.has_ended():
                    name, words = other.process.name, other.process.last_words()
                    raise DidNotStart(f"{name} ended during its start:\n{words}")
            if member.is_ready is None or member.is_ready():
                break
            if time.monotonic() > deadline:
                log = member.process.log
                raise DidNotStart(f"{member.process.name} is not ready: see {log}")
            if self.stopping.wait(_LOOK_SECONDS):
                raise Stopped
        took = time.monotonic() - member.began
        self.say(member.process.name, f"up after {took:.1f} s (process {member.process.pid})")


def answers(url: str) -> IsReady:
    """Return a readiness check: whether the URL answers without an error."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own
                return True
        except (urllib.error.URLError, OSError):
            return False

    return ask


def _start_a_log(log: Path) -> None:
    """Begin a new log file; the one before is kept beside it."""
    if log.exists():
        log.replace(log.with_suffix(".log.before"))


def stop_on_signals(stopping: Event) -> None:
    """Set the event on Ctrl-C, on TERM, and when the terminal is closed."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # In a thread: the interrupted one may hold the event's own lock.
        signal.signal(number, lambda *_: Thread(target=stopping.set).start())
