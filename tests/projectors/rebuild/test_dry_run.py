"""Dry run: estimated time and changes."""

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from rich.console import Console

from events.catalogue import MovieRated
from events.recorded import Origin, Recorded, Stream
from projectors.rebuild import dry_run
from projectors.rebuild.job import RebuildOptions
from projectors.storage.read_model import ReadModel, leave_encrypted
from projectors.storage.shard import Shard, Write
from tests.fixtures.memory_store import MemoryStore

EVENT_SECONDS = 0.001


class Clock:
    """Clock that advances with each event read."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(dry_run, "monotonic", clock)
    return clock


@pytest.fixture
def slow(clock: Clock, monkeypatch) -> type[ReadModel]:
    """Model that spends a millisecond on each event; without Redis."""

    class Slow(ReadModel):
        name: ClassVar[str] = "slow"
        by_partition: ClassVar[bool] = False

        def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
            clock.now += EVENT_SECONDS * len(batch)
            yield ("PING",)

    monkeypatch.setattr(dry_run, "decryptor", lambda: leave_encrypted)
    return Slow


def log(events: int, *, partitions: int = 2) -> MemoryStore:
    store = MemoryStore(partitions)
    for nth in range(events):
        user = UUID(int=nth)
        store.append(
            Stream(f"rating-{user}-1", str(user)),
            [MovieRated(user_id=user, movie_id=1, score=8)],
            expected=0,
            origin=Origin(correlation_id=uuid4()),
        )
    return store


@pytest.mark.parametrize("events", [40, 100_000])
def test_estimate_doubles_the_time_of_a_sample(slow, events):
    """For any number of events: twice the time of reading them."""
    seconds = dry_run._seconds(slow, log(40), events)
    assert seconds == pytest.approx(2 * events * EVENT_SECONDS)


def test_estimate_reads_only_a_sample_of_a_long_log(slow, clock, monkeypatch):
    monkeypatch.setattr(dry_run, "_SAMPLE", 10)
    seconds = dry_run._seconds(slow, log(60), 60)
    assert clock.now <= 12 * EVENT_SECONDS
    assert seconds == pytest.approx(2 * 60 * EVENT_SECONDS)


def test_estimate_of_an_empty_log_is_zero(slow):
    assert dry_run._seconds(slow, log(0), 0) == 0


def test_estimate_is_printed_by_model_and_in_total(slow, monkeypatch):
    store = log(3000)
    monkeypatch.setattr(dry_run, "PostgresStore", lambda _: store)
    monkeypatch.setattr(dry_run, "_change", lambda *_: ("1", "nothing: equal"))
    screen = StringIO()
    dry_run.preview([slow, slow], RebuildOptions(processes=2), Console(file=screen, width=120))
    rows = [line for line in screen.getvalue().splitlines() if " slow " in line]
    assert [line.split("│")[-2].strip() for line in rows] == ["3 s", "3 s"]
    assert "3,000" in rows[0]
    assert "About 6 s in all for state and derived data, with 2 processes" in screen.getvalue()
