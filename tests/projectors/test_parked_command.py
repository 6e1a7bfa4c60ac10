"""manage.py parked: list, show, retry and skip."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from redis.exceptions import ConnectionError as RedisConnectionError

from events.catalogue import MovieRated
from events.recorded import Origin, Stream
from events.store import AppendEntry
from events.store.generations import new_generation
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.consumer.follower import Follower
from projectors.errors import RetryLater, StopProjector
from projectors.generations.pointers import Pointers
from projectors.parking.retry import ParkedStreamRetry
from projectors.read_models.trending.read_model import Trending
from projectors.storage.shard import Shard

BAD = 7
USERS = [UUID(int=number) for number in (1, 2, 3)]


def stream_of(user: UUID, movie: int) -> str:
    return f"rating-{user}-{movie}"


def rated(user: UUID, movie: int, score: int, previous: int | None = None) -> AppendEntry:
    event = MovieRated(user_id=user, movie_id=movie, score=score, previous=previous)
    return AppendEntry(
        Stream(stream_of(user, movie), str(user)), 1 if previous is None else 2, event
    )


class World:
    """A log in which two users rated a movie whose events trending cannot apply."""

    def __init__(self, monkeypatch):
        self.store = PostgresStore(config().partitions)
        self.trending = Trending(clients.redis(), new_generation("trending", version=1))
        self._patch = monkeypatch
        self.store.append_many(
            [
                *(rated(user, 1, 5) for user in USERS),
                *(rated(user, BAD, 5) for user in USERS[:2]),
                rated(USERS[0], BAD, 6, previous=5),
            ],
            origin=Origin(correlation_id=UUID(int=0)),
        )
        self.fail_with("no such hour")
        self.follow()
        Pointers(clients.redis()).switch({"trending": self.trending.generation})

    def fail_with(self, reason: str) -> None:
        """Make trending fail on the movie."""
        writes = self._writes = getattr(self, "_writes", Trending.writes)

        def failing(model, shard, batch):
            if any(recorded.event.movie_id == BAD for recorded in batch):
                raise LookupError(reason)
            return writes(model, shard, batch)

        self._patch.setattr(Trending, "writes", failing)

    def mend(self) -> None:
        self._patch.setattr(Trending, "writes", self._writes)

    def follow(self) -> None:
        worker = Follower(self.trending, self.store)
        worker.sync(self.store.heads())
        for partition in worker.behind.copy():
            worker.process(self.store.page(partition, after=0, limit=100))

    def counts(self) -> dict[int, int]:
        return dict(self.trending.most_rated(10))


@pytest.fixture
def world(db, keys, redis_url, monkeypatch) -> World:
    return World(monkeypatch)


def run(capsys, *arguments: str) -> tuple[int, str]:
    """Exit status and output, one line a row."""
    code = 0
    capsys.readouterr()
    try:
        call_command(*arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, re.sub(r"[ │]+", " ", capsys.readouterr().out)


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    """A terminal so wide that no cell wraps."""
    monkeypatch.setenv("COLUMNS", "250")


def test_list_shows_streams_reasons_and_counts(world, capsys):
    code, out = run(capsys, "parked", "list")
    assert code == 0
    generation = world.trending.generation
    for user, events in ((USERS[0], 2), (USERS[1], 1)):
        row = rf"trending {generation} {stream_of(user, BAD)} {events} 20\S+ \S+ 1 LookupError: no"
        assert re.search(row, out), out
    assert run(capsys, "parked", "list", "trending")[1] == out


def test_show_has_payload_and_trace(world, capsys):
    _, out = run(capsys, "parked", "show", "trending", stream_of(USERS[0], BAD))
    assert '"score":5' in out
    assert '"score":6' in out
    assert "LookupError: no such hour" in out
    assert "raise LookupError" in out
    assert "follows a parked event" in out
    assert str(USERS[1]) not in out


def test_retry_applies_events_after_the_fix(world, capsys):
    assert world.counts() == {1: 3}
    world.mend()
    code, out = run(capsys, "parked", "retry", "trending", stream_of(USERS[0], BAD))
    assert (code, world.counts()) == (0, {1: 3, BAD: 1})
    assert "2 events of 1 streams applied" in out
    assert run(capsys, "parked", "retry", "--all")[0] == 0
    assert world.counts() == {1: 3, BAD: 2}
    assert "Nothing is parked" in run(capsys, "parked", "list")[1]
    assert "Nothing to retry" in run(capsys, "parked", "retry", "--all")[1]


def test_retry_that_fails_again_reports_it(world, capsys):
    world.fail_with("another hour")
    code, out = run(capsys, "parked", "retry", "trending", "--all")
    assert code == 1
    assert f"{stream_of(USERS[0], BAD)}: 0 applied, 2 still parked: LookupError: another" in out
    assert re.search("2 LookupError: another hour", run(capsys, "parked", "list")[1])


def test_skip_keeps_a_note_and_retries_the_rest(world, capsys):
    world.mend()
    stream = stream_of(USERS[0], BAD)
    code, out = run(capsys, "parked", "skip", "trending", stream, "--note", "a broken client")
    assert (code, world.counts()) == (0, {1: 3})  # the second only changes a score
    assert "1 skipped" in out
    _, shown = run(capsys, "parked", "show", "trending", stream)
    assert "a broken client" in shown
    assert "1 skipped for good" in run(capsys, "parked", "list")[1]


def test_skip_all_skips_every_event_of_the_stream(world, capsys):
    stream = stream_of(USERS[0], BAD)
    code, out = run(capsys, "parked", "skip", "trending", stream, "--all", "--note", "none needed")
    assert (code, "2 skipped" in out) == (0, True)


@pytest.mark.parametrize(
    "fault", [RedisConnectionError("gone"), RetryLater("gone"), StopProjector("gone")]
)
def test_skip_whose_retry_fails_advises_to_retry_and_not_to_skip(world, capsys, monkeypatch, fault):
    world.mend()
    stream, number = stream_of(USERS[0], BAD), str(world.trending.generation)
    skip = ("parked", "skip", "trending", stream, "--note", "n", "--generation", number)
    with monkeypatch.context() as patch:
        patch.setattr(ParkedStreamRetry, "retry", raising(fault))
        with pytest.raises(CommandError, match=r"1 skipped.*gone") as refused:
            call_command(*skip)
    message = str(refused.value)
    assert "run it again" not in message
    _, _, advice = message.partition("Run: ")
    assert advice == f"parked retry trending {stream} --generation {number}"
    code, out = run(capsys, *advice.split())
    assert (code, "1 events of 1 streams applied" in out) == (0, True)
    assert "1 skipped for good" in run(capsys, "parked", "list")[1]


def test_skip_whose_reply_is_lost_advises_to_look_first(world, capsys, monkeypatch):
    stream, unpark = stream_of(USERS[0], BAD), Shard.unpark

    def lost(*args, **more):
        unpark(*args, **more)
        raise RedisConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Shard, "unpark", lost)
        with pytest.raises(CommandError, match="whether it was skipped: gone") as refused:
            call_command("parked", "skip", "trending", stream, "--note", "a broken client")
    message = str(refused.value)
    assert "run it again" not in message
    _, _, advice = message.partition("first: ")
    assert advice == f"parked show trending {stream}"
    _, shown = run(capsys, *advice.split())
    assert shown.count("a broken client") == 1
    assert shown.count("follows a parked event") == 1


def raising(fault: Exception) -> Callable[..., Any]:
    def failing(*_: object) -> None:
        raise fault

    return failing


def test_verify_and_lag_report_parked_events(world, capsys, monkeypatch):
    monkeypatch.setattr("projectors.management.commands.verify.make_builders", lambda *_: ())
    code, out = run(capsys, "verify", "trending")
    assert (code, "equal, 3 events of 2 streams parked" in out) == (0, True), out
    world.mend()
    run(capsys, "parked", "skip", "trending", stream_of(USERS[1], BAD), "--note", "n")
    assert "equal, 2 events of 1 stream parked, 1 skipped" in run(capsys, "verify", "trending")[1]
    run(capsys, "parked", "retry", "--all")
    code, out = run(capsys, "verify", "trending")
    assert (code, "equal, 1 skipped" in out, "parked" in out) == (0, True, False)


def test_lag_counts_parked_events(world, capsys):
    assert re.search(r"trending \d+ 0 \d* ?3 ", run(capsys, "lag")[1])


def test_generation_option_selects_one_that_is_not_live(world, capsys):
    number = world.trending.generation
    later = new_generation("trending", version=1)
    Pointers(clients.redis()).switch({"trending": later})
    assert "Nothing is parked" in run(capsys, "parked", "list", "trending")[1]
    world.mend()
    chosen = ("--generation", str(number))
    assert stream_of(USERS[0], BAD) in run(capsys, "parked", "list", "trending", *chosen)[1]
    assert run(capsys, "parked", "retry", "trending", "--all", *chosen)[0] == 0
    assert world.counts() == {1: 3, BAD: 2}


def test_retry_refuses_a_generation_of_another_version(world, monkeypatch):
    monkeypatch.setattr(Trending, "version", 99)
    with pytest.raises(CommandError, match="version 1"):
        call_command("parked", "retry", "trending", "--all")


@pytest.mark.parametrize(
    "arguments",
    [
        ("retry",),
        ("retry", "trending"),
        ("retry", "trending", "rating-x"),
        ("retry", "trending", "rating-x", "--all"),
        ("list", "nonsense"),
        ("show", "search"),
        ("skip", "trending", "rating-x", "--note", "n"),
        ("list", "--generation", "1"),
    ],
)
def test_parked_refuses_bad_arguments(world, arguments):
    with pytest.raises(CommandError):
        call_command("parked", *arguments)
