"""Erasure: every generation is purged, and the audit finds what is left."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from redis import Redis

from events.catalogue import AnyEvent, MovieAdded, MovieFavourited, MovieRated, UserErased
from events.recorded import Origin, Stream, partition_of
from events.store import AppendEntry
from events.store.generations import new_generation, rebuild_lock
from events.store.postgres import PostgresStore
from events.stream_names import erasure_of
from events.vault import erasures
from events.vault.encryption import encrypt_field
from events.vault.models import Subject
from events.vault.subjects import activate, reserve
from infra import clients, progress_bar
from infra.config import config
from infra.rate_limit.sliding_window import Throttle
from projectors.consumer.decryption import decryptor
from projectors.consumer.follower import Follower
from projectors.erasure import abandoned_rebuilds, coordinator
from projectors.erasure.abandoned_rebuilds import PATIENCE_SECONDS, AbandonedRebuilds
from projectors.erasure.audit import SearchTerms, search
from projectors.erasure.coordinator import ErasureCoordinator, purge_past_generation
from projectors.errors import RetryLater
from projectors.generations import garbage_collector
from projectors.generations.live import PAST_KEY, Live
from projectors.generations.pointers import Pointers
from projectors.parking.retry import ParkedStreamRetry, parked_stream_keys
from projectors.parking.store import read_skipped_events
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.registry import MODELS, make_builders
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard
from projectors.verification.snapshot import read
from projectors.verification.state import verify
from tests.fixtures import model_access
from tests.projectors.verification.test_state import playlists

pytestmark = pytest.mark.django_db(databases=["default", "vault"])

ANN, BOB = UUID(int=1), UUID(int=2)
EMAIL = "ann@example.org"
ORIGIN = Origin(correlation_id=UUID(int=7))
_keys: dict[UUID, bytes] = {}


class World(NamedTuple):
    """A log with Ann and Bob, and generations."""

    store: PostgresStore
    redis: Redis
    pointers: Pointers
    coordinator: ErasureCoordinator

    def generation(self, kind: type[ReadModel], purpose: Any = "live", **more: Any) -> ReadModel:
        number = new_generation(kind.name, version=kind.version, purpose=purpose, **more)
        model: ReadModel = kind(self.redis, number)
        return model

    def catch_up(self, *models: ReadModel) -> None:
        for model in models:
            follower = Follower(model, self.store, decryptor())
            follower.sync(self.store.heads())
            for partition in sorted(follower.behind):
                after = follower.checkpoints[partition]
                follower.process(self.store.page(partition, after=after, limit=1000))

    def erase(self) -> None:
        """Erase Ann as the erasure command does."""
        erasures.begin(ANN)
        ids = tuple(
            name.removeprefix("playlist-")
            for name in self.store.streams(str(ANN), prefix="playlist-", after="", limit=100)
        )
        event = UserErased(user_id=ANN, playlists=ids)
        self.store.append(erasure_of(ANN), [event], expected=0, origin=ORIGIN)
        erasures.destroy_key(ANN)

    def purge(self) -> dict[str, tuple[bool, str]]:
        return {part.name: (part.is_gone, part.detail) for part in self.coordinator.purge_user(ANN)}

    def remaining(self, **names: str) -> dict[str, str]:
        """Details of the parts where the audit still finds Ann."""
        terms = SearchTerms(ANN, **names)
        return {part.name: part.detail for part in self.search(terms) if not part.is_gone}

    def search(self, terms: SearchTerms) -> list[Any]:
        return list(search(terms, self.store, self.redis))

    def keys_naming_ann(self, model: ReadModel) -> list[bytes]:
        """The keys of a generation that name Ann."""
        keys = self.redis.scan_iter(f"{{{model.name}.{model.generation}.*")
        return [key for key in keys if str(ANN).encode() in key]


class CrashingRedis:
    """Redis that crashes before its last writes are on disk and restarts with the older state."""

    def __init__(self, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        self._redis = redis
        self._before = {key: redis.dump(key) or b"" for key in redis.scan_iter("{library*")}
        self._past = [part for pair in redis.hgetall(PAST_KEY).items() for part in pair]
        self._run = 1
        monkeypatch.setattr(redis, "info", lambda _: {"run_id": self._run})

    def crash(self) -> None:
        for key, held in self._before.items():
            self._redis.restore(key, 0, held, replace=True)
        if self._past:
            self._redis.hset(PAST_KEY, items=self._past)
        self._run += 1


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def world(db, keys, redis_url, elasticsearch_url, monkeypatch) -> World:
    monkeypatch.setattr(coordinator, "KEPT_AFTER_SECONDS", 0.0)
    for user, name in ((ANN, "ann"), (BOB, "bob")):
        _keys[user] = reserve(user, username=name, email=f"{name}@example.org", password_hash="")
        activate(user)
    store = PostgresStore(config().partitions)
    store.append_many(entries(), origin=ORIGIN)
    redis = clients.redis()
    return World(store, redis, Pointers(redis), ErasureCoordinator(redis, store))


def entries() -> list[AppendEntry]:
    movie_entries = [
        AppendEntry(
            Stream(f"movie-{movie}", str(movie)),
            1,
            MovieAdded(movie_id=movie, title="Ann", year=1979),
        )
        for movie in (1, 2)
    ]
    user_entries: list[AppendEntry] = []
    for user in (ANN, BOB):
        events: dict[str, AnyEvent] = {
            f"rating-{user}-1": MovieRated(user_id=user, movie_id=1, score=9),
            f"rating-{user}-2": MovieRated(user_id=user, movie_id=2, score=8),
            f"favourite-{user}-1": MovieFavourited(user_id=user, movie_id=1),
        }
        user_entries += [
            AppendEntry(Stream(name, str(user)), 1, event) for name, event in events.items()
        ]
        user_entries += playlists(
            user,
            lambda of, field, text: encrypt_field(_keys[of], subject=of, field=field, text=text),
        )
    return movie_entries + user_entries


@pytest.fixture
def live_models(world) -> dict[str, ReadModel]:
    """All read models, live and built."""
    models = {kind.name: world.generation(kind) for kind in MODELS}
    world.catch_up(*models.values())
    world.pointers.switch({name: model.generation for name, model in models.items()})
    build(world, models)
    return models


def gone_at() -> datetime | None:
    """When every store had purged Ann, or None."""
    erasure = erasures.find(ANN)
    return erasure and erasure.gone_at


def build(world: World, models: dict[str, ReadModel]) -> None:
    for builder in make_builders(models, Live(world.redis)):
        builder.build(datetime.now(UTC))


def test_followed_generation_is_purged_once_it_applied_and_built_the_erasure(world, live_models):
    assert world.keys_naming_ann(live_models["library"])
    world.erase()
    assert {detail for _, detail in world.purge().values()} == {
        "has not reached the erasure in the log"
    }
    assert erasures.report_lines(ANN) == []
    assert erasures.incomplete() == [ANN]

    world.catch_up(*live_models.values())
    report = world.purge()
    assert report["library 1"] == (True, "gone")
    assert report["search 1"] == (False, "is still being built")
    build(world, live_models)
    assert all(is_gone for is_gone, _ in world.purge().values())
    assert {line.part for line in erasures.report_lines(ANN)} == set(report)
    assert gone_at() is not None
    assert world.remaining(email=EMAIL, username="ann") == {}
    for model in live_models.values():
        assert verify(model, world.store, advance=lambda _: None, decrypt=decryptor()).shown == []


def test_erasure_report_fails_until_every_line_says_gone(world, live_models, capsys, monkeypatch):
    monkeypatch.setattr(progress_bar, "_QUIET_SECONDS", 0.0)
    world.erase()
    with pytest.raises(SystemExit, match="1"):
        call_command("erasure_report", str(ANN), wait=0)
    output = capsys.readouterr()
    assert "NOT GONE: has not reached the erasure" in " ".join(output.out.split())
    assert output.err == "purging: 0%\n"
    world.catch_up(*live_models.values())
    build(world, live_models)
    call_command("erasure_report", str(ANN), username="ann", email=EMAIL)
    output = capsys.readouterr()
    assert "NOT GONE" not in output.out
    assert output.err == "purging: 100%\n"


def test_late_retry_restores_nothing_of_an_erased_user(world, poisoned):
    """A parked event is retried after the erasure and before the purge."""
    model = poisoned(Library)
    [parked_stream] = parked_stream_keys(model, world.store.partitions)
    world.erase()
    world.catch_up(model)
    assert ParkedStreamRetry(model, world.store, decryptor()).retry(parked_stream).applied == 1
    assert world.keys_naming_ann(model) == []
    assert verify(model, world.store, advance=lambda _: None, decrypt=decryptor()).shown == []


def test_retry_during_the_erasure_restores_nothing(world, poisoned, monkeypatch):
    model = poisoned(Library)
    [parked_stream] = parked_stream_keys(model, world.store.partitions)
    unpark = Shard.unpark

    def slower_than_the_erasure(shard, *args, **more):
        world.erase()
        world.catch_up(model)
        monkeypatch.undo()
        unpark(shard, *args, **more)

    monkeypatch.setattr(Shard, "unpark", slower_than_the_erasure)
    ParkedStreamRetry(model, world.store, decryptor()).retry(parked_stream)
    assert world.keys_naming_ann(model) == []


def test_only_anonymous_ratings_stay_of_an_erased_user(world, live_models):
    before = live_models["similarity"].likers_of([1, 2])
    world.erase()
    world.catch_up(*live_models.values())
    build(world, live_models)
    assert live_models["similarity"].likers_of([1, 2]) == before
    assert model_access.revoked(live_models["sessions"], ANN) == {b"erased": b"1"}
    keys = list(world.redis.scan_iter())
    set_keys = [key for key in keys if world.redis.type(key) == b"set"]
    keys_naming_ann = [key for key in keys if str(ANN).encode() in key]
    sets_with_ann = [key for key in set_keys if str(ANN).encode() in world.redis.smembers(key)]
    assert {key.partition(b".")[0] for key in keys_naming_ann} == {b"{sessions"}
    assert {key.partition(b".")[0] for key in sets_with_ann} == {b"{similarity"}


def test_past_generation_is_purged(world):
    model = world.generation(Library, "past", label="then", until=datetime.now(UTC))
    world.catch_up(model)
    world.pointers.remember("then", model.name, model.generation)
    at = model.checkpoints(world.store.partitions)
    world.erase()
    assert world.purge() == {"library 1": (True, "gone")}
    assert world.keys_naming_ann(model) == []
    assert model.checkpoints(world.store.partitions) == at
    assert model_access.ratings(model, BOB)


def test_past_generation_back_after_redis_crash_is_purged_again(world, monkeypatch):
    """Redis crashes before the purge is on disk and restarts with the older state."""
    model = world.generation(Library, "past", label="then", until=datetime.now(UTC))
    world.catch_up(model)
    world.pointers.remember("then", model.name, model.generation)
    server, clock = CrashingRedis(world.redis, monkeypatch), Clock()
    monkeypatch.setattr(coordinator, "KEPT_AFTER_SECONDS", 5.0)
    monkeypatch.setattr(coordinator, "monotonic", clock)
    world.erase()
    for _ in range(3):
        assert world.purge() == {"library 1": (True, "gone")}
        assert (world.keys_naming_ann(model), gone_at()) == ([], None)
        server.crash()
        assert world.keys_naming_ann(model)
        clock.now += 60
    world.coordinator.resume_all()
    assert (world.keys_naming_ann(model), gone_at()) == ([], None)
    clock.now += 5
    world.coordinator.resume_all()
    assert gone_at() is not None


def test_dropped_generation_back_after_redis_crash_is_dropped_again(world, monkeypatch):
    number = new_generation(
        "library",
        version=Library.version - 1,
        purpose="past",
        label="then",
        until=datetime.now(UTC),
    )
    model = Library(world.redis, number)
    world.catch_up(model)
    world.pointers.remember("then", "library", number)
    server = CrashingRedis(world.redis, monkeypatch)
    monkeypatch.setattr(coordinator, "KEPT_AFTER_SECONDS", 5.0)
    world.erase()
    for _ in range(2):
        assert world.purge() == {"library 1": (True, "gone")}
        assert (world.keys_naming_ann(model), world.pointers.snapshot().past) == ([], {})
        server.crash()
        assert world.keys_naming_ann(model)
        assert world.pointers.snapshot().past
    assert gone_at() is None


def test_new_past_generation_holds_no_user_erased_since(world):
    model = world.generation(Library, "past", label="then", until=datetime.now(UTC))
    world.catch_up(model)
    world.erase()
    assert purge_past_generation(model, world.store) == 1
    assert world.keys_naming_ann(model) == []


def test_unfinished_generation_is_dropped_unless_a_rebuild_fills_it(world):
    model = world.generation(Library, "rebuild")
    world.catch_up(model)
    world.erase()
    with rebuild_lock(["library"]):
        assert world.purge() == {"library 1": (False, "is being rebuilt")}
    assert world.keys_naming_ann(model)
    assert world.purge() == {"library 1": (True, "gone")}
    assert world.keys_naming_ann(model) == []
    assert gone_at() is not None


def test_erasure_waits_for_a_rebuild_that_has_applied_nothing_yet(world):
    """The rebuild may have decrypted the names before the key was destroyed."""
    model = world.generation(Library, "past", label="then", until=datetime.now(UTC))
    follower = Follower(model, world.store, decryptor())
    with rebuild_lock(["library"]):
        follower.sync(world.store.heads())
        world.erase()
        assert world.purge() == {"library 1": (False, "is being rebuilt")}
        partition = partition_of(str(ANN), world.store.partitions)
        follower.process(world.store.page(partition, after=0, limit=3))
        assert world.keys_naming_ann(model)
    assert "redis" in world.remaining()
    world.coordinator.resume_all()
    assert world.keys_naming_ann(model) == []
    assert "redis" not in world.remaining()
    assert gone_at() is not None


@pytest.fixture
def start_rebuild_after_erasure(world):
    """Start filling a generation after the erasure of Ann and stop before her erasure event."""

    def begin(purpose, **more):
        world.erase()
        assert world.purge() == {}
        assert gone_at() is not None
        model = world.generation(Library, purpose, **more)
        partition = partition_of(str(ANN), world.store.partitions)
        follower = Follower(model, world.store, decryptor())
        follower.sync(world.store.heads())
        follower.process(world.store.page(partition, after=0, limit=3))
        assert world.keys_naming_ann(model)
        return model

    return begin


KINDS = [("rebuild", {}), ("past", {"label": "then", "until": datetime(2026, 1, 1, tzinfo=UTC)})]


@pytest.mark.parametrize(("purpose", "more"), KINDS)
def test_stalled_rebuild_with_an_erased_user_is_dropped(
    world, start_rebuild_after_erasure, purpose, more
):
    model, clock = start_rebuild_after_erasure(purpose, **more), Clock()
    abandoned = AbandonedRebuilds(world.redis, world.store, clock=clock)
    abandoned.drop_stalled()
    clock.now = PATIENCE_SECONDS - 1
    abandoned.drop_stalled()
    assert world.keys_naming_ann(model)  # it may still be resumed
    clock.now = PATIENCE_SECONDS
    with rebuild_lock(["library"]):
        abandoned.drop_stalled()
    assert world.keys_naming_ann(model)
    clock.now = 2 * PATIENCE_SECONDS
    abandoned.drop_stalled()
    assert world.keys_naming_ann(model) == []
    assert world.remaining() == {}


def test_failed_drop_of_a_stalled_rebuild_does_not_delay_that_of_others(
    world, start_rebuild_after_erasure, monkeypatch
):
    library, clock = start_rebuild_after_erasure("rebuild"), Clock()
    movies = world.generation(Movies, "rebuild")
    follower = Follower(movies, world.store)
    partition = partition_of(str(ANN), world.store.partitions)
    follower.sync(world.store.heads())
    follower.process(world.store.page(partition, after=0, limit=3))

    def drop(model, pointers):
        if model.name == library.name:
            raise RetryLater("the search index is away")
        return garbage_collector.drop(model, pointers)

    monkeypatch.setattr(abandoned_rebuilds, "drop", drop)
    abandoned = AbandonedRebuilds(world.redis, world.store, clock=clock)
    abandoned.drop_stalled()
    clock.now = PATIENCE_SECONDS
    with pytest.raises(RetryLater):
        abandoned.drop_stalled()
    assert movies.checkpoint(partition)
    abandoned.drop_stalled()
    assert not movies.checkpoint(partition)
    assert library.checkpoint(partition)


def test_rebuild_that_progresses_or_passed_the_erasure_is_not_dropped(
    world, start_rebuild_after_erasure
):
    model, clock = start_rebuild_after_erasure("rebuild"), Clock()
    abandoned = AbandonedRebuilds(world.redis, world.store, clock=clock)
    abandoned.drop_stalled()
    clock.now = PATIENCE_SECONDS
    world.catch_up(model)
    for _ in range(3):
        abandoned.drop_stalled()
        clock.now += PATIENCE_SECONDS
    assert world.keys_naming_ann(model) == []
    assert model_access.ratings(model, BOB)


def test_erasure_waits_for_a_live_generation_of_another_version(world, monkeypatch):
    model = world.generation(Library)
    world.catch_up(model)
    world.pointers.switch({"library": model.generation})
    world.erase()
    monkeypatch.setattr(Library, "version", Library.version + 1)
    [(is_gone, detail)] = world.purge().values()
    assert not is_gone
    assert "until the new version is built" in detail
    world.pointers.switch({"library": 9})
    assert world.purge() == {"library 1": (True, "gone")}
    assert world.keys_naming_ann(model) == []


@pytest.fixture
def poisoned(world, monkeypatch) -> Callable[[type[ReadModel]], ReadModel]:
    """Make a live generation that parked the rating of the first movie by Ann."""

    def poison(kind: type[ReadModel]) -> ReadModel:
        model: ReadModel = world.generation(kind)
        writes = kind.writes

        def failing(self, shard, batch):
            if any(recorded.stream == f"rating-{ANN}-1" for recorded in batch):
                raise LookupError("poison")
            return writes(self, shard, batch)

        with monkeypatch.context() as patch:
            patch.setattr(kind, "writes", failing)
            world.catch_up(model)
        world.pointers.switch({kind.name: model.generation})
        return model

    return poison


@pytest.mark.parametrize("kind", [Library, Movies])
@pytest.mark.parametrize("is_skipped", [False, True])
def test_parked_events_of_an_erased_user_are_skipped_and_redacted(
    world, poisoned, kind, is_skipped
):
    model = poisoned(kind)
    [parked_stream] = parked_stream_keys(model, world.store.partitions)
    if is_skipped:
        ParkedStreamRetry(model, world.store, decryptor()).skip(parked_stream, "any reason")
    world.erase()
    world.catch_up(model)
    build(world, {model.name: model})
    world.purge()
    assert parked_stream_keys(model, world.store.partitions) == []
    shard = parked_stream.shard
    assert [(one.stream, one.entry.data) for one in read_skipped_events(world.redis, shard)] == [
        ("", "")
    ]
    assert len(read(world.redis, shard, []).unapplied.skipped) == 1
    assert world.keys_naming_ann(model) == []
    assert "redis" not in world.remaining()
    verdict = verify(model, world.store, advance=lambda _: None, decrypt=decryptor())
    assert (verdict.shown, verdict.skipped) == ([], 1)


def test_parked_erasure_event_is_never_skipped(world, monkeypatch):
    model = world.generation(Library)
    world.pointers.switch({"library": model.generation})
    writes = Library.writes

    def failing(self, shard, batch):
        if any(isinstance(recorded.event, UserErased) for recorded in batch):
            raise LookupError("poison")
        return writes(self, shard, batch)

    world.erase()
    with monkeypatch.context() as patch:
        patch.setattr(Library, "writes", failing)
        world.catch_up(model)
    [(is_gone, detail)] = world.purge().values()
    assert (is_gone, "parked" in detail) == (False, True)
    [parked_stream] = parked_stream_keys(model, world.store.partitions)
    ParkedStreamRetry(model, world.store, decryptor()).retry(parked_stream)
    assert world.purge() == {"library 1": (True, "gone")}
    assert world.keys_naming_ann(model) == []


def test_audit_finds_remaining_data(world):
    world.erase()
    assert world.remaining(email=EMAIL, username="ann") == {}
    leftovers: list[tuple[str, Callable[[], object]]] = [
        ("redis", lambda: world.redis.set("stray", str(ANN))),
        ("redis", lambda: world.redis.rpush("a-queue", f"write to {EMAIL.upper()}")),
        ("redis", lambda: world.redis.hset("{library.7.1}:state:person:x", "username", "Ann")),
        ("redis", lambda: world.redis.sadd(f"{{library.7.1}}:state:ratings:{ANN}", "1")),
        ("other tables", lambda: store_answer(f"user:{ANN}", b"")),
        ("other tables", lambda: store_answer("somebody", b'{"username":"ann"}')),
        ("other tables", lambda: store_answer("somebody", EMAIL.encode())),
        ("vault", register_again),
    ]
    for part, plant in leftovers:
        plant()
        assert set(world.remaining(email=EMAIL, username="ann")) == {part}
        world.redis.flushdb()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM answered_commands")


def test_audit_ignores_the_same_word_of_other_users(world):
    world.erase()
    world.redis.hset("{library.7.1}:state:playlist:000aa", "name", "ann")
    world.redis.hset("{movies.7.all}:state:movie:1", "details", '{"title":"Ann"}')
    world.redis.set("cache:{details.7.x}", '{"keywords":["ann"]}')
    world.redis.set("cheer", "annual planning")
    assert world.remaining(email=EMAIL, username="ann") == {}


def test_audit_drops_request_counters(world):
    world.erase()
    for user in (ANN, BOB):
        world.redis.set(Throttle("read", str(user), 1, 0.0).key, 1)
        world.redis.set(Throttle("write", str(user), 1, 0.0).key, 1)
    assert world.remaining() == {}
    remaining_keys = world.redis.keys("throttle:*")
    assert len(remaining_keys) == 2
    assert all(str(BOB).encode() in key for key in remaining_keys)


def test_audit_finds_a_user_who_was_not_erased(world):
    remaining = world.remaining()
    assert set(remaining) == {"log", "vault"}
    with pytest.raises(CommandError, match="never requested"):
        call_command("erasure_report", str(ANN))


def store_answer(scope: str, body: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO answered_commands (scope, key, fingerprint, made_at, position, body)"
            " VALUES (%s, %s, '', now(), '', %s)",
            [scope, str(uuid4()), body],
        )


def register_again() -> None:
    Subject.objects.filter(user_id=ANN).delete()
    reserve(ANN, username="ann", email=EMAIL, password_hash="")
