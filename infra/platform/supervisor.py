"""Supervisor: starts processes in order, restarts those that end, stops all at its end."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import IO, Self, TypeAlias

from infra.backoff import Backoff
from infra.platform.processes import DidNotStart, Process
from infra.services.errors import ServiceError

IsReady: TypeAlias = Callable[[], bool]
Say: TypeAlias = Callable[[str, str], None]

READY_SECONDS = 120.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
SETTLED_SECONDS = 30.0
"""Who lived so long before it ended is started again at once."""

_LOOK_SECONDS = 0.1
_LAST_LINES = 3


class Stopped(Exception):
    """Somebody asked for the end while something was on its way."""


@dataclass
class Member:
    """A process that is to run, and what is known of its earlier lives."""

    process: Process
    is_ready: IsReady | None = None
    """Whether it answers; None: it is ready when it runs."""
    before: Callable[[], None] | None = None
    """Clears what a life that ended badly leaves behind."""
    backoff: Backoff = field(
        default_factory=lambda: Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    )
    began: float = 0.0
    again_at: float | None = None
    """When it is started again, while it is down."""

    def start(self) -> None:
        """Start it, whatever an earlier life left."""
        self.began = time.monotonic()
        self.process.end_leftovers()
        if self.before:
            self.before()
        self.process.start()
        self.again_at = None

    def rest(self, now: float) -> float:
        """It ended: for how long it stays down, longer each time it does so soon."""
        if now - self.began >= SETTLED_SECONDS:
            self.backoff.reset()
        pause = self.backoff.next_seconds()
        self.again_at = now + pause
        return pause


def _silent(_subject: str, _news: str) -> None:
    """Nobody is told."""


@dataclass
class Supervisor:
    """Owns processes as long as its block lasts. All of it is done in one thread.

    A process ends with the thread that started it, so let that be the main one.
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

    def bring_up(self, members: Sequence[Member]) -> None:
        """Start them side by side and wait until each is ready.

        Raises DidNotStart with the last words of the one that ended instead; Stopped.
        """
        for member in members:
            self._members.append(member)
            _start_a_log(member.process.log)
            member.start()
        deadline = time.monotonic() + READY_SECONDS
        for member in members:
            self._wait_until_ready(member, members, deadline)

    def keep_up(self) -> None:
        """Start again what ends, until told to stop."""
        while not self.stopping.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Start again what ended and has rested."""
        now = time.monotonic()
        for member in self._members:
            if member.again_at is None and member.process.has_ended():
                self._tell_end(member, member.rest(now))
            elif member.again_at is not None and now >= member.again_at:
                self._start_again(member)

    def run(self, process: Process) -> int:
        """Let something run to its end while all others are kept up; its exit status.

        What it says is told. Raises Stopped, after asking it to end.
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
        except (OSError, ServiceError) as error:
            self.say(member.process.name, f"could not be started: {error}")
            member.rest(time.monotonic())
        else:
            self.say(member.process.name, "started again")

    def _tell_end(self, member: Member, pause_seconds: float) -> None:
        process = member.process
        self.say(process.name, f"ended ({process.how_it_ended}); again in {pause_seconds:.1f} s")
        for line in process.last_words(_LAST_LINES).splitlines():
            self.say(process.name, f"  {line}")

    def _wait_until_ready(self, member: Member, members: Sequence[Member], deadline: float) -> None:
        while True:
            for other in members:
                if other.process.has_ended():
                    name, words = other.process.name, other.process.last_words()
                    raise DidNotStart(f"{name} ended at once:\n{words}")
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
    """Whether something says that it is ready."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own
                return True
        except (urllib.error.URLError, OSError):
            return False

    return ask


def _start_a_log(log: Path) -> None:
    """A log of this run; the one before is kept beside it."""
    if log.exists():
        log.replace(log.with_suffix(".log.before"))
