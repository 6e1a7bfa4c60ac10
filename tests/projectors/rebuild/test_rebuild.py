"""Rebuild: equal generations are switched to, different ones are not."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from time import time
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from msgspec.structs import replace

from events.catalogue import MovieRated, UserErased
from events.recorded import Origin, Stream
from events.store import AppendEntry
from events.store.generations import generations, new_generation, rebuild_lock
from events.store.postgres import PostgresStore
from events.stream_names import erasure_of
from events.vault import erasures
from infra import clients
from infra.config import config
from projectors.consumer.decryption import decryptor
from projectors.erasure.coordinator import ErasureCoordinator
from projectors.generations.garbage_collector import GenerationCollector
from projectors.generations.live import Live
from projectors.generations.pointers import KEPT_KEY, Pointers
from projectors.management.commands import generations as commands
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.recommendations.read_model import (
    COLD_START,
    Recommendations,
    encode_list,
)
from projectors.read_models.trending.builder import TrendingBuilder
from projectors.read_models.trending.read_model import Trending
from projectors.rebuild import backfill, derive, job
from projectors.rebuild.backpressure import Backpressure
from projectors.rebuild.plan import offsets_at
from projectors.registry import MODELS
from tests.fixtures import model_access
from tests.projectors.verification.test_state import USERS, Platform, apply_log, entries, platform  # noqa: F401 - a fixture

NAMES = [model.name for model in MODELS]


@pytest.fixture
def pointers(platform) -> Pointers:  # noqa: F811 - the fixture
    """Pointers of a platform whose generations are numbered by the log's database."""
    for model in MODELS:
        assert new_generation(model.name, version=model.version) == 1
    return Pointers(clients.redis())


def rebuild(*arguments: str) -> None:
    call_command("rebuild", *arguments, "--processes", "1", stdout=StringIO())


def live() -> dict[str, int]:
    return Pointers(clients.redis()).snapshot().live


def rate(count: int, movie: int = 1) -> None:
    event = [MovieRated(user_id=uuid4(), movie_id=movie, score=8) for _ in range(count)]
    streams = [Stream(f"rating-{one.user_id}-{movie}", str(one.user_id)) for one in event]
    PostgresStore(config().partitions).append_many(
        [AppendEntry(stream, 1, one) for stream, one in zip(streams, event, strict=True)],
        origin=Origin(correlation_id=uuid4()),
    )


def tamper_with_movies() -> None:
    keys = Movies(clients.redis(), 1).all.state_keys()
    clients.redis().hset(keys[0].decode(), "stray", 1)


def test_rebuild_of_all_models_is_equal_and_becomes_live(pointers, capsys):
    rebuild("--all", "--verify")
    assert live() == dict.fromkeys(NAMES, 2)
    assert set(pointers.snapshot().kept) == {(name, 1) for name in NAMES}
    out = capsys.readouterr().out
    assert out.count("equal") == len(NAMES) + 1
    call_command("verify", "--all", stdout=StringIO())


def test_rebuild_of_one_model_leaves_others_alone(pointers):
    rebuild("trending")
    assert live() == {**dict.fromkeys(NAMES, 1), "trending": 2}


def test_rebuild_applies_backpressure_while_filling_and_building(pointers, monkeypatch):
    steps: list[str] = []
    monkeypatch.setattr(Backpressure, "wait", lambda _: steps.append("a chance to go first"))
    number = new_generation("trending", version=Trending.version, purpose="rebuild")
    partitions = tuple(range(config().partitions))
    heads = PostgresStore(config().partitions).heads()
    backfill.fill({"trending": number}, partitions, heads)
    filled = len(steps)
    derive.build({"trending": number}, {"trending"}, partitions, None)
    assert 0 < filled < len(steps)


def test_rebuild_includes_events_that_the_live_generation_lacks(pointers):
    rate(3)
    rebuild("movies")
    assert Movies(clients.redis(), 2).checkpoints(config().partitions) == list(
        PostgresStore(config().partitions).heads()
    )


def test_rebuild_with_verify_refuses_to_switch_on_a_difference(pointers, capsys):
    tamper_with_movies()
    with pytest.raises(CommandError, match="generations drop movies 2"):
        rebuild("movies", "--verify")
    assert live() == dict.fromkeys(NAMES, 1)
    assert "stray" in capsys.readouterr().out


def test_rebuild_with_verify_refuses_to_switch_on_an_inconsistent_list(
    pointers, capsys, monkeypatch
):
    prove = job.RebuildJob._verify_derived

    def with_one_wrong(self):
        new = Recommendations(clients.redis(), 2)
        listed = model_access.listed(new, COLD_START)
        wrong = replace(listed, items=listed.items[:-1])
        new.redis.set(new.shard(0).derived("list", COLD_START), encode_list(wrong))
        prove(self)

    monkeypatch.setattr(job.RebuildJob, "_verify_derived", with_one_wrong)
    with pytest.raises(CommandError, match="generations drop recommendations 2"):
        rebuild("recommendations", "--verify")
    assert live() == dict.fromkeys(NAMES, 1)
    assert "recommendations: nobody: has " in capsys.readouterr().out


def test_rebuild_with_verify_ignores_changes_of_a_source_meanwhile(pointers, monkeypatch):
    """A rating of a movie on a first page, applied just before derived data is verified."""
    prove, store = job.RebuildJob._verify_derived, PostgresStore(config().partitions)

    def late(self):
        rate(1)
        for kind in (Movies, Trending):
            apply_log(kind(clients.redis(), 1), store)
        prove(self)

    monkeypatch.setattr(job.RebuildJob, "_verify_derived", late)
    rebuild("trending", "--verify")
    assert live()["trending"] == 2
    rate(1)
    apply_log(Movies(clients.redis(), 1), store)  # no process holds the lock any more


def test_rebuild_with_verify_ignores_changes_between_build_and_comparison(pointers, monkeypatch):
    differences, store = TrendingBuilder.differences, PostgresStore(config().partitions)

    def late(self):
        monkeypatch.setattr(TrendingBuilder, "differences", differences)
        rate(1)
        for kind in (Movies, Trending):
            apply_log(kind(clients.redis(), 1), store)
        return differences(self)

    monkeypatch.setattr(TrendingBuilder, "differences", late)
    rebuild("trending", "--verify")
    assert live()["trending"] == 2


def test_rebuild_with_verify_finds_a_key_lost_by_the_live_generation(pointers, capsys):
    key = Movies(clients.redis(), 1).all.state_keys()[0]
    clients.redis().delete(key)
    with pytest.raises(CommandError):
        rebuild("movies", "--verify")
    assert f"{key.decode().partition(':state:')[2]}: is missing" in capsys.readouterr().out


def test_interrupted_rebuild_is_resumed(pointers):
    generation = new_generation("movies", version=Movies.version, purpose="rebuild")
    half = Movies(clients.redis(), generation)
    store = PostgresStore(config().partitions)
    for partition in range(store.partitions // 2):
        if page := store.page(partition, after=0, limit=100):
            model_access.apply(half, page)
    rebuild("movies", "--verify")
    assert live()["movies"] == generation


def test_rebuild_killed_while_joining_is_taken_back_from_workers(pointers):
    generation = new_generation("movies", version=Movies.version, purpose="rebuild")
    pointers.join({"movies": generation})
    pointers.note_followed([("movies", generation)])  # a worker's last report on it
    rebuild("movies", "--verify")
    assert (live()["movies"], pointers.snapshot().joining) == (generation, {})


def test_rebuild_killed_after_the_switch_is_not_filled_again(pointers):
    rebuild("movies")
    with_finish_undone("movies", 2)
    rebuild("movies")
    assert live()["movies"] == 3


def with_finish_undone(name: str, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generations SET finished_at = NULL WHERE model = %s AND number = %s",
            [name, number],
        )


def test_rebuild_drops_unfinished_generation_of_an_older_version(pointers):
    old = new_generation("movies", version=Movies.version - 1, purpose="rebuild")
    clients.redis().set(Movies(clients.redis(), old).all.state("a"), 1)
    rebuild("movies")
    assert live()["movies"] == old + 1
    assert not clients.redis().keys(f"{{movies.{old}.*")
    [dropped] = [generation for generation in generations(["movies"]) if generation.number == old]
    assert dropped.dropped_at is not None


def test_second_rebuild_of_a_model_is_refused(pointers):
    with rebuild_lock(["trending"]), pytest.raises(CommandError, match="trending is being rebuilt"):
        rebuild("--all")
    rebuild("trending")


def test_dry_run_changes_nothing(pointers, capsys):
    before = sorted(clients.redis().keys())
    rebuild("--all", "--dry-run")
    assert sorted(clients.redis().keys()) == before
    assert [generation.number for generation in generations(NAMES)] == [1] * len(NAMES)
    out = capsys.readouterr().out
    assert out.count("equal") == len(NAMES)


def test_dry_run_shows_what_would_change(pointers, capsys):
    tamper_with_movies()
    rebuild("movies", "--dry-run")
    assert "1 elements" in capsys.readouterr().out


def test_rebuild_until_a_moment_applies_the_log_up_to_it(pointers):
    store = PostgresStore(config().partitions)
    before = list(store.heads())
    moment = datetime.now(UTC)
    rate(5, movie=2)
    assert offsets_at(store, moment) == before
    rebuild("trending", "--until", moment.isoformat(), "--into", "then")
    assert live() == dict.fromkeys(NAMES, 1)
    past_model = Live(clients.redis()).open_past(Trending, "then")
    assert past_model.checkpoints(store.partitions) == before
    assert {movie for movie, _ in past_model.most_rated(10)} == {2, 3, 4, 5, 6, 7}
    assert dict(past_model.most_rated(10))[2] == 5
    assert past_model.board("week").as_of == moment
    with pytest.raises(CommandError, match="trending as of then exists already"):
        rebuild("trending", "--until", moment.isoformat(), "--into", "then")
    call_command("generations", "drop", "then", stdout=StringIO())
    assert not clients.redis().keys("{trending.2.*")


def test_killed_rebuild_of_the_past_keeps_no_erased_user(pointers, monkeypatch):
    ann, moment = USERS[0], datetime.now(UTC).isoformat()
    with monkeypatch.context() as patch:
        patch.setattr(job, "purge_past_generation", killed)
        with pytest.raises(KeyboardInterrupt):
            rebuild("library", "--until", moment, "--into", "then")
    half = Library(clients.redis(), 2)
    assert model_access.ratings(half, ann)
    erase(ann)
    coordinator = ErasureCoordinator(clients.redis(), PostgresStore(config().partitions))
    [part_report] = [part for part in coordinator.purge_user(ann) if part.name == "library 2"]
    assert part_report.is_gone
    assert clients.redis().keys("{library.2.*") == []
    rebuild("library", "--until", moment, "--into", "then")
    past_model = Live(clients.redis()).open_past(Library, "then")
    assert past_model.generation == 3
    assert (
        model_access.ratings(past_model, ann),
        bool(model_access.ratings(past_model, USERS[1])),
    ) == (
        [],
        True,
    )


def killed(*_: object) -> int:
    raise KeyboardInterrupt


def erase(user: UUID) -> None:
    erasures.begin(user)
    PostgresStore(config().partitions).append(
        erasure_of(user),
        [UserErased(user_id=user)],
        expected=0,
        origin=Origin(correlation_id=uuid4()),
    )
    erasures.destroy_key(user)


def test_offsets_of_a_moment_are_those_recorded_by_then(pointers):
    store = PostgresStore(config().partitions)
    assert offsets_at(store, datetime.now(UTC) - timedelta(days=1)) == [0] * store.partitions
    assert offsets_at(store, datetime.now(UTC)) == list(store.heads())


def test_switch_back_to_the_kept_generation_is_immediate(pointers):
    rebuild("trending")
    apply_log(Trending(clients.redis(), 1), PostgresStore(config().partitions), decryptor())
    call_command("generations", "switch", "trending", "1", stdout=StringIO())
    assert live()["trending"] == 1
    assert set(pointers.snapshot().kept) == {("trending", 2)}


def expire(name: str, number: int) -> None:
    """Let a generation's retention have ended a second ago."""
    clients.redis().hset(KEPT_KEY, f"{name}:{number}", repr(time() - 1))


def test_generation_switched_to_as_its_time_ends_is_not_dropped(pointers, monkeypatch):
    rebuild("trending")
    apply_log(Trending(clients.redis(), 1), PostgresStore(config().partitions), decryptor())
    expire("trending", 1)

    def wait(_) -> int:
        GenerationCollector(MODELS, pointers).drop_expired()
        return 0

    monkeypatch.setattr(commands, "_wait_until_level", wait)
    call_command("generations", "switch", "trending", "1", stdout=StringIO())
    assert live()["trending"] == 1
    assert clients.redis().keys("{trending.1.*")


def test_switch_to_a_generation_dropped_meanwhile_is_refused(pointers, monkeypatch):
    rebuild("trending")

    def wait(_) -> int:
        expire("trending", 1)  # the command was suspended for the whole retention
        GenerationCollector(MODELS, pointers).drop_expired()
        return 0

    monkeypatch.setattr(commands, "_wait_until_level", wait)
    with pytest.raises(CommandError, match="trending 1 is not kept level any more"):
        call_command("generations", "switch", "trending", "1", stdout=StringIO())
    assert live()["trending"] == 2
    assert not clients.redis().keys("{trending.1.*")


def test_killed_switch_extends_retention_only_briefly(pointers, monkeypatch):
    rebuild("trending")
    expire("trending", 1)
    monkeypatch.setattr(commands, "_wait_until_level", killed)
    with pytest.raises(KeyboardInterrupt):
        call_command("generations", "switch", "trending", "1", stdout=StringIO())
    snapshot = pointers.snapshot()
    assert (snapshot.joining, snapshot.coming) == ({}, {})
    assert snapshot.kept["trending", 1] <= time() + 60


def test_switch_to_a_generation_not_kept_level_is_refused(pointers):
    rebuild("trending")
    pointers.release("trending", 1)
    with pytest.raises(CommandError, match="trending 1 is not kept level"):
        call_command("generations", "switch", "trending", "1", stdout=StringIO())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "Name the read models"),
        (["nonsense"], "No read model is called nonsense"),
        (["movies", "--all"], "or give --all"),
        (["movies", "--until", "2026-01-01T00:00:00Z"], "together, or neither"),
        (["movies", "--until", "yesterday", "--into", "a"], "not a time"),
        (["movies", "--until", "2026-13-01T00:00:00Z", "--into", "a"], "--until"),
        (["movies", "--until", "2999-01-01T00:00:00Z", "--into", "a"], "in the future"),
        (["movies", "--until", "2026-01-01T00:00:00Z", "--into", "A b"], "A label has"),
        (["movies", "catalogue-tables"], "without other read models"),
    ],
)
def test_rebuild_refuses_bad_arguments(arguments, why, db, redis_url):
    with pytest.raises(CommandError, match=why):
        rebuild(*arguments)


@pytest.mark.parametrize(
    "words",
    [["drop"], ["switch", "movies"], ["drop", "movies", "7"], ["nonsense"], ["drop", "then"]],
)
def test_generations_command_refuses_bad_arguments(words, db, redis_url):
    with pytest.raises(CommandError):
        call_command("generations", *words, stdout=StringIO())


def test_rebuild_of_catalogue_tables(pointers, capsys):
    rebuild("catalogue-tables")
