"""Load: users write and read concurrently until stopped."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from time import monotonic, sleep
from uuid import uuid4

import httpx

from benchmarks.users import PASSWORD
from benchmarks.write_load.check import CheckResult, check, histograms
from benchmarks.write_load.ledger import Ledger, LoadAccount, LoadUser, Writes, total
from benchmarks.write_load.reader import Reader, Reads
from benchmarks.write_load.sender import Sender, register
from benchmarks.write_load.writer import Writer

_PROGRESS_SECONDS = 5.0
_BEHIND_SECONDS = 30.0
_CHECK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """The APIs, and the amount of load."""

    command_url: str
    query_url: str
    people: int = 4
    readers: int = 1
    movies: int = 100
    pause_seconds: float = 0.02
    seed: int = 1896


class Load:
    """Writers and readers on a platform, and the ledger of what was accepted."""

    def __init__(self, options: LoadOptions) -> None:
        self._wanted = options
        with httpx.Client(base_url=options.query_url, timeout=30) as client:
            before = histograms(client, range(1, options.movies + 1))
        people = [LoadUser(_new_account(options.command_url)) for _ in range(options.people)]
        self._ledger = Ledger(people, before)
        self._senders = [Sender(options.command_url, person.account) for person in people]
        reading = [people[nth % len(people)].account for nth in range(options.readers)]
        self._tokens = [Sender(options.command_url, account) for account in reading]
        self._readers = [Reader(options.query_url, sender.log_in) for sender in self._tokens]

    @property
    def writes(self) -> Writes:
        """Outcomes of all writes so far."""
        return total(sender.writes for sender in self._senders)

    @property
    def reads(self) -> Sequence[Reads]:
        """Outcomes of the reads so far, of each reader."""
        return [reader.reads for reader in self._readers]

    def run(self, stopping: Event, report_progress: Callable[[], None]) -> Ledger:
        """Write and read until stopped; return the ledger once every write is answered."""
        options = self._wanted
        writers = [
            Writer(person, sender, movies=options.movies, seed=options.seed + nth)
            for nth, (person, sender) in enumerate(
                zip(self._ledger.people, self._senders, strict=True)
            )
        ]
        workers: list[Writer | Reader] = [*writers, *self._readers]
        with ThreadPoolExecutor(max_workers=len(workers)) as threads:
            running = [
                threads.submit(worker.run, stopping, pause_seconds=options.pause_seconds)
                for worker in workers
            ]
            while not stopping.wait(_PROGRESS_SECONDS):
                report_progress()
                if any(future.done() for future in running):
                    stopping.set()  # one failed; the others would hide it
        _raise_first(running)
        self._ledger.writes = self.writes
        return self._ledger

    def check(self) -> CheckResult:
        """Compare all answers with the ledger; repeat while read models may be behind."""
        deadline = monotonic() + _BEHIND_SECONDS
        while True:
            result = self._check()
            if result.is_right or monotonic() > deadline:
                return result
            sleep(_CHECK_SECONDS)

    def _check(self) -> CheckResult:
        tokens = {
            person.account.id: sender.log_in()
            for person, sender in zip(self._ledger.people, self._senders, strict=True)
        }
        return check(self._ledger, self._wanted.query_url, tokens, movies=self._wanted.movies)

    def close(self) -> None:
        """Close the connections."""
        for sender in (*self._senders, *self._tokens):
            sender.close()


def _new_account(command_url: str) -> LoadAccount:
    return register(command_url, f"load-{uuid4().hex[:12]}", PASSWORD)


def _raise_first(running: Sequence["Future[None]"]) -> None:
    for future in running:
        future.result()
