"""Supervisor: starts processes in order, restarts those that end, stops all at its end."""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import SubprocessError
from threading import Event, Thread
from types import TracebackType
from typing import IO, Self, TypeAlias

import httpx

from infra.backoff import Backoff
from infra.platform.processes import Process
from infra.services.errors import DidNotStart, ServiceError
from infra.services.native import NativeServer

IsReady: TypeAlias = Callable[[], bool]
Say: TypeAlias = Callable[[str, str], None]
Supervised: TypeAlias = Process | NativeServer

READY_SECONDS = 120.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
SETTLED_SECONDS = 30.0
"""A process that ran for so long has its back-off reset."""

_POLL_SECONDS = 0.1
_LAST_LINES = 3


class Stopped(Exception):
    """A stop was requested during a start or a step."""


@dataclass
class Member:
    """A supervised process, its readiness check and its back-off."""

    process: Supervised
    is_ready: IsReady | None = None
    """Readiness check; None: it is ready when it runs."""
    before_start: Callable[[], None] | None = None
    """Removes files that a killed process left behind."""
    backoff: Backoff = field(
        default_factory=lambda: Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    )
    began: float = 0.0
    restart_at: float | None = None
    """When it is restarted, while it is down."""

    def start(self) -> None:
        """End leftover processes, then start it."""
        self.began = time.monotonic()
        self.process.end_leftovers()
        if self.before_start:
            self.before_start()
        self.process.start()
        self.restart_at = None

    def schedule_restart(self, now: float) -> float:
        """Schedule the restart after its end; returns the seconds until then, by back-off."""
        if now - self.began >= SETTLED_SECONDS:
            self.backoff.reset()
        pause = self.backoff.next_seconds()
        self.restart_at = now + pause
        return pause


@dataclass
class Supervisor:
    """Starts, restarts and stops processes, in one thread, until its block ends.

    A process ends with the thread that started it, so use the main thread.
    """

    stopping: Event = field(default_factory=Event)
    say: Say = lambda _subject, _progress: None
    _members: list[Member] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the processes, the last started first."""
        while self._members:
            self._members.pop().process.stop()

    def watch(self, servers: Sequence[Supervised]) -> None:
        """Supervise servers that are already running."""
        self._members += [Member(server) for server in servers]

    def bring_up(self, members: Sequence[Member]) -> None:
        """Start members concurrently and wait until each is ready.

        Raises DidNotStart with the last lines of a process that ended; Stopped.
        """
        for member in members:
            self._members.append(member)
            _rotate_log(member.process.log)
            member.start()
        deadline = time.monotonic() + READY_SECONDS
        for member in members:
            self._wait_until_ready(member, members, deadline)

    def supervise(self) -> None:
        """Restart ended processes until a stop is requested."""
        while not self.stopping.wait(_POLL_SECONDS):
            self.restart_ended()

    def restart_ended(self) -> None:
        """Restart ended processes whose back-off is over."""
        now = time.monotonic()
        for member in self._members:
            if member.restart_at is None and member.process.has_ended():
                self._report_end(member, member.schedule_restart(now))
            elif member.restart_at is not None and now >= member.restart_at:
                self._restart(member)

    def run(self, process: Process) -> int:
        """Run a process to its end while the others are supervised; return its exit status.

        Its output is shown. Raises Stopped, after ending it.
        """
        _rotate_log(process.log)
        process.start()
        try:
            with process.log.open(errors="replace") as log:
                while not process.has_ended():
                    if self.stopping.wait(_POLL_SECONDS):
                        raise Stopped
                    self.restart_ended()
                    self._report_output(process.name, log)
                self._report_output(process.name, log)
            return process.status
        finally:
            process.stop()

    def _report_output(self, name: str, log: IO[str]) -> None:
        for line in log.read().splitlines():
            self.say(name, line.rstrip())

    def _restart(self, member: Member) -> None:
        try:
            member.start()
        except (OSError, ServiceError, SubprocessError) as error:
            self.say(member.process.name, f"could not be restarted: {error}")
            member.schedule_restart(time.monotonic())
        else:
            self.say(member.process.name, "restarted")

    def _report_end(self, member: Member, pause_seconds: float) -> None:
        process = member.process
        self.say(process.name, f"ended ({process.how_it_ended}); restart in {pause_seconds:.1f} s")
        for line in process.log_tail(_LAST_LINES).splitlines():
            self.say(process.name, f"  {line}")

    def _wait_until_ready(self, member: Member, members: Sequence[Member], deadline: float) -> None:
        while True:
            for other in members:
                if other.process.has_ended():
                    name, words = other.process.name, other.process.log_tail()
                    raise DidNotStart(f"{name} ended during its start:\n{words}")
            if member.is_ready is None or member.is_ready():
                break
            if time.monotonic() > deadline:
                log = member.process.log
                raise DidNotStart(
                    f"{member.process.name} is not ready after {READY_SECONDS:.0f} s: see {log}"
                )
            if self.stopping.wait(_POLL_SECONDS):
                raise Stopped
        took = time.monotonic() - member.began
        self.say(member.process.name, f"up after {took:.1f} s (process {member.process.pid})")


def answers(url: str) -> IsReady:
    """Return a readiness check: whether the URL answers without an error."""

    def ask() -> bool:
        try:
            # Without proxies and certificates, which take 65 ms to load.
            reply = httpx.get(url, timeout=5, trust_env=False, verify=False)  # noqa: S501 - plain HTTP
            return reply.is_success
        except httpx.HTTPError:
            return False

    return ask


def _rotate_log(log: Path) -> None:
    """Start a new log file; keep the previous one beside it."""
    if log.exists():
        log.replace(log.with_suffix(".log.before"))


def stop_on_signals(stopping: Event) -> None:
    """Set the event on Ctrl-C, on TERM, and when the terminal is closed."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # In a thread: the interrupted main thread may hold the event's lock.
        signal.signal(number, lambda *_: Thread(target=stopping.set).start())
