"""Verify: finds every kind of difference, and none where there is none."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from threading import Thread
from typing import Any, NamedTuple, get_args
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from msgspec.structs import replace
from redis import Redis

from events.catalogue import (
    AnyEvent,
    CollectionEvent,
    EmailVerified,
    MovieAdded,
    MovieDescribed,
    MovieDetailed,
    MovieFavourited,
    MovieHidden,
    MovieLinked,
    MovieRated,
    MovieRestored,
    MovieUnfavourited,
    MovieUnhidden,
    MovieWithdrawn,
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistDescribed,
    PlaylistMovieAdded,
    PlaylistMovieMoved,
    PlaylistMovieRemoved,
    PlaylistRenamed,
    PlaylistShown,
    PreferencesChanged,
    RatingWithdrawn,
    SessionRevoked,
    SessionsRevoked,
    StaffGranted,
    StaffRevoked,
    TrendObserved,
    UserErased,
    UserRegistered,
)
from events.catalogue.accounts import EncryptedField
from events.playlist_ids import playlist_id
from events.recorded import Origin, Stream
from events.store import AppendEntry
from events.store.generations import new_generation
from events.store.postgres import PostgresStore
from events.vault.decryption import PLAYLIST_DESCRIPTION, PLAYLIST_NAME
from events.vault.encryption import encrypt_field
from events.vault.subjects import reserve
from infra import clients
from infra.config import config
from projectors.consumer.decryption import decryptor
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.lag import lags
from projectors.read_models.recommendations.read_model import (
    COLD_START,
    Recommendations,
    encode_list,
)
from projectors.read_models.search.read_model import Search
from projectors.registry import MODELS, make_builders
from projectors.storage.read_model import Decrypt, ReadModel, leave_encrypted
from projectors.verification.state import differences, verify
from tests.fixtures import model_access
from tests.fixtures.memory_store import MemoryStore

USERS = [UUID(int=number) for number in range(1, 6)]
MOVIES = range(1, 8)
NEXT_YEAR = datetime.now(UTC) + timedelta(days=365)


Seal = Callable[[UUID, str, str], EncryptedField]


def unsealed(user: UUID, field: str, text: str) -> EncryptedField:
    """Encryption of stores without a vault."""
    return EncryptedField(text)


def entries(seal: Seal = unsealed) -> list[AppendEntry]:
    """Every kind of event: a model whose state depends on batches would be found."""
    entries = [
        AppendEntry(
            Stream(f"movie-{movie}", str(movie)),
            1,
            MovieAdded(
                movie_id=movie, title=f"Movie {movie}", year=1990 + movie, genres=("Drama",)
            ),
        )
        for movie in MOVIES
    ]
    movie_stream = Stream("movie-1", "1")
    entries.append(
        AppendEntry(movie_stream, 2, MovieDescribed(movie_id=1, title="Movie One", year=None))
    )
    entries.append(
        AppendEntry(movie_stream, 3, MovieLinked(movie_id=1, source="imdb", external_id="tt1"))
    )
    entries.append(AppendEntry(movie_stream, 4, MovieDetailed(movie_id=1, runtime_minutes=90)))
    entries.append(AppendEntry(movie_stream, 5, MovieWithdrawn(movie_id=1, reason="a double")))
    entries.append(AppendEntry(movie_stream, 6, MovieRestored(movie_id=1)))
    withdrawn = MovieWithdrawn(movie_id=MOVIES[-1], reason="no film")
    entries.append(AppendEntry(Stream(f"movie-{MOVIES[-1]}", str(MOVIES[-1])), 2, withdrawn))
    trend = Stream("trend-tmdb-day-2026-03-01", "tmdb-day")
    for nth, movies in enumerate(((1, 2), (2, 1)), start=1):
        board = TrendObserved(board="tmdb-day", source="tmdb", window="day", movies=movies)
        entries.append(AppendEntry(trend, nth, board))
    for user in USERS:
        owner = str(user)
        registered = UserRegistered(
            user_id=user,
            username=seal(user, "username", f"user{user.int}"),
            email=seal(user, "email", f"user{user.int}@example.org"),
        )
        entries.append(AppendEntry(Stream(f"user-{user}", owner), 1, registered))
        verified = EmailVerified(user_id=user)
        entries.append(AppendEntry(Stream(f"email-{user}", owner), 1, verified))
        entries += [
            AppendEntry(
                Stream(f"rating-{user}-{movie}", owner),
                1,
                MovieRated(user_id=user, movie_id=movie, score=1 + movie),
            )
            for movie in MOVIES
        ]
        stream = Stream(f"rating-{user}-1", owner)
        entries.append(
            AppendEntry(stream, 2, MovieRated(user_id=user, movie_id=1, score=9, previous=2))
        )
        entries.append(
            AppendEntry(stream, 3, RatingWithdrawn(user_id=user, movie_id=1, previous=9))
        )
        stream = Stream(f"preferences-{user}", owner)
        entries.append(AppendEntry(stream, 1, PreferencesChanged(user_id=user, genres=("Drama",))))
        stream = Stream(f"sessions-{user}", owner)
        entries.append(AppendEntry(stream, 1, SessionsRevoked(user_id=user, epoch=2)))
        family = SessionRevoked(user_id=user, family=user, expires_at=NEXT_YEAR)
        entries.append(AppendEntry(stream, 2, family))
        stream = Stream(f"staff-{user}", owner)
        entries.append(AppendEntry(stream, 1, StaffGranted(user_id=user)))
        entries.append(AppendEntry(stream, 2, StaffRevoked(user_id=user)))
        entries += collections(user)
        entries += playlists(user, seal)
    return entries + erasure(USERS[-1])


def erasure(user: UUID) -> list[AppendEntry]:
    """A user is erased, then events in flight arrive, then the user is erased again."""
    owner = str(user)
    ids = tuple(playlist_id(owner, 4, bytes([nth] * 10)) for nth in (user.int, 100 + user.int))
    stream = Stream(f"erasure-{user}", owner)
    event = UserErased(user_id=user, playlists=ids)
    late = Stream(f"favourite-{user}-7", owner)
    return [
        AppendEntry(stream, 1, event),
        AppendEntry(late, 1, MovieFavourited(user_id=user, movie_id=7)),
        AppendEntry(stream, 2, event),
    ]


def collections(user: UUID) -> list[AppendEntry]:
    """Two favourites and two hidden movies, one of each removed again."""
    event_types: dict[tuple[str, int], list[type[CollectionEvent]]] = {
        ("favourite", 1): [MovieFavourited, MovieUnfavourited],
        ("favourite", 2): [MovieFavourited],
        ("hidden", 3): [MovieHidden, MovieUnhidden, MovieHidden],
        ("hidden", 4): [MovieHidden, MovieUnhidden],
    }
    return [
        AppendEntry(
            Stream(f"{what}-{user}-{movie}", str(user)), nth, kind(user_id=user, movie_id=movie)
        )
        for (what, movie), kinds in event_types.items()
        for nth, kind in enumerate(kinds, start=1)
    ]


def playlists(user: UUID, seal: Seal) -> list[AppendEntry]:
    """A playlist that stays and changes, and one that is deleted."""
    kept_id, deleted_id = (
        playlist_id(str(user), 4, bytes([nth] * 10)) for nth in (user.int, 100 + user.int)
    )
    name = partial(seal, user, PLAYLIST_NAME)
    encrypt_description = partial(seal, user, PLAYLIST_DESCRIPTION)
    fields: dict[str, Any] = {"playlist_id": kept_id, "user_id": user}
    other: dict[str, Any] = {"playlist_id": deleted_id, "user_id": user}
    first: list[AnyEvent] = [
        PlaylistCreated(**fields, name=name("Rainy days"), description=encrypt_description("Long")),
        PlaylistMovieAdded(**fields, movie_id=1, rank=10),
        PlaylistMovieAdded(**fields, movie_id=2, rank=20),
        PlaylistMovieAdded(**fields, movie_id=3, rank=30),
        PlaylistMovieMoved(**fields, movie_id=3, rank=15),
        PlaylistMovieRemoved(**fields, movie_id=1),
        PlaylistRenamed(**fields, name=name("Rainy Sundays")),
        PlaylistDescribed(**fields, description=None),
        PlaylistShown(**fields, visibility="public"),
    ]
    second: list[AnyEvent] = [
        PlaylistCreated(**other, name=name("No more"), visibility="public"),
        PlaylistMovieAdded(**other, movie_id=1, rank=10),
        PlaylistDeleted(**other),
    ]
    return [
        AppendEntry(Stream(f"playlist-{id_}", str(user)), nth, event)
        for id_, events in ((kept_id, first), (deleted_id, second))
        for nth, event in enumerate(events, start=1)
    ]


def apply_log(
    model: ReadModel, store: MemoryStore | PostgresStore, decrypt: Decrypt = leave_encrypted
) -> None:
    for partition in range(store.partitions):
        at = model.checkpoint(partition)
        while batch := store.page(partition, after=at, limit=3):
            model_access.apply(model, model.decrypted(batch, decrypt))
            at = batch[-1].offset


@pytest.fixture
def redis(redis_url) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore(4)
    store.append_many(entries(), origin=Origin(correlation_id=uuid4()))
    return store


@pytest.fixture(params=MODELS, ids=lambda model: model.name)
def model(request, redis, store) -> ReadModel:
    model: ReadModel = request.param(redis, 1)
    apply_log(model, store)
    return model


def test_verify_finds_a_level_model_equal(model, store):
    folded: list[int] = []
    verdict = verify(model, store, advance=folded.append)
    assert verdict.shown == []
    assert verdict.differences == 0
    assert verdict.keys > 0
    assert verdict.shards == (store.partitions if model.by_partition else 1)
    assert verdict.events == sum(folded) == sum(store.heads())


def test_entries_contain_every_event_type():
    happened = {type(entry.event) for entry in entries()}
    assert happened == set(get_args(AnyEvent))


def test_verify_allows_the_log_to_be_ahead(model, store):
    stream = Stream(f"sessions-{USERS[0]}", str(USERS[0]))
    origin = Origin(correlation_id=uuid4())
    store.append(stream, [SessionsRevoked(user_id=USERS[0], epoch=9)], expected=2, origin=origin)
    assert verify(model, store, advance=lambda _: None).differences == 0


def test_verify_names_a_missing_key(model, store, redis):
    key = state_keys(redis, model)[0]
    redis.delete(key)
    verdict = verify(model, store, advance=lambda _: None)
    assert verdict.shown == [f"{key}: is missing"]


def test_verify_names_a_surplus_key(model, store, redis):
    key = model.shard(0).state("stray")
    redis.set(key, 1)
    verdict = verify(model, store, advance=lambda _: None)
    assert verdict.shown == [f"{key}: exists, but no event of the log explains it"]


def test_verify_ignores_derived_keys(model, store, redis):
    redis.set(model.shard(0).derived("stray"), 1)
    assert verify(model, store, advance=lambda _: None).differences == 0


def test_shard_applies_events_after_verify(model, store):
    verify(model, store, advance=lambda _: None)
    stream = Stream(f"sessions-{USERS[0]}", str(USERS[0]))
    origin = Origin(correlation_id=uuid4())
    store.append(stream, [SessionsRevoked(user_id=USERS[0], epoch=9)], expected=2, origin=origin)
    apply_log(model, store)
    assert model.checkpoints(store.partitions) == list(store.heads())


def test_verify_finds_nothing_while_a_projector_is_running(redis, store):
    for user in map(str, (uuid4() for _ in range(300))):
        rated = AppendEntry(
            Stream(f"rating-{user}-1", user),
            1,
            MovieRated(user_id=UUID(user), movie_id=1, score=7),
        )
        store.append_many([rated], origin=Origin(correlation_id=uuid4()))
    models = [model(redis, 1) for model in MODELS]

    def project() -> None:
        for model in models:
            apply_log(model, store)

    projector = Thread(target=project)
    projector.start()
    while projector.is_alive():
        for model in models:
            assert verify(model, store, advance=lambda _: None).shown == []
    projector.join()
    for model in models:
        verdict = verify(model, store, advance=lambda _: None)
        assert (verdict.events, verdict.shown) == (sum(store.heads()), [])


def test_verdict_keeps_only_the_first_differences(redis, store):
    search = Search(redis, 1)
    for number in range(50):
        redis.set(search.all.state("stray", number), 1)
    verdict = verify(search, store, advance=lambda _: None)
    assert (verdict.differences, len(verdict.shown)) == (50, 20)


def state_keys(redis: Redis, model: ReadModel) -> list[str]:
    prefix = f"{{{model.name}.{model.generation}."
    return sorted(
        key.decode()
        for key in redis.scan_iter()
        if key.decode().startswith(prefix) and ":state:" in key.decode()
    )


@pytest.mark.parametrize(
    ("live", "folded", "expected"),
    [
        (b"1", b"2", ["k: is 1, should be 2"]),
        (b"1", b"1", []),
    ],
)
def test_difference_of_a_string_is_named(live, folded, expected):
    assert list(differences({"k": live}, {"k": folded})) == expected


class Platform(NamedTuple):
    """Live models on real servers."""

    models: dict[str, ReadModel]


@pytest.fixture
def platform(vault_database, keys, redis_url, elasticsearch_url) -> Platform:
    people = {
        user: reserve(
            user,
            username=f"user{user.int}",
            email=f"user{user.int}@example.org",
            password_hash="",
        )
        for user in USERS
    }
    store = PostgresStore(config().partitions)
    store.append_many(
        entries(
            lambda user, field, text: encrypt_field(
                people[user], subject=user, field=field, text=text
            )
        ),
        origin=Origin(correlation_id=uuid4()),
    )
    redis = clients.redis()
    live = Live(redis)
    models = {model.name: model(redis, 1) for model in MODELS}
    for model in models.values():
        apply_log(model, store, decryptor())
    Pointers(redis).switch(dict.fromkeys(models, 1))
    builders = make_builders(models, live)
    for builder in sorted(builders, key=lambda one: one.name == Recommendations.name):
        builder.build(datetime.now(UTC))  # lists last, because they are made of the others
    return Platform(models)


def run(*arguments: str, capsys) -> tuple[int, str]:
    try:
        call_command("verify", *arguments, stdout=StringIO())
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_verify_all_finds_a_whole_platform_equal(platform, capsys):
    code, out = run("--all", capsys=capsys)
    assert code == 0, out
    for name in platform.models:
        assert name in out
    assert "differ" not in out


def test_verify_finds_a_tampered_count(platform, capsys, monkeypatch):
    monkeypatch.setattr("projectors.read_models.search.builder._PATIENCE_SECONDS", 0)
    search = platform.models["search"]
    key = search.shard(0).state("votes")
    search.redis.hincrby(key, "3", 1)
    code, out = run("search", capsys=capsys)
    assert code == 1
    assert f"search: {key} 3: is 6, should be 5" in out


def test_verify_finds_a_lost_document(platform, capsys, monkeypatch):
    monkeypatch.setattr("projectors.read_models.search.builder._PATIENCE_SECONDS", 0)
    index = platform.models["search"].index
    clients.elasticsearch().delete(index=index.name, id="3")
    code, out = run("search", "movies", capsys=capsys)
    assert code == 1
    assert "search: document of movie 3 differs from the state" in out


def test_verify_finds_a_list_that_differs_from_its_page(platform, capsys):
    recommendations = platform.models["recommendations"]
    key = recommendations.shard(0).derived("list", COLD_START)
    listed = model_access.listed(recommendations, COLD_START)
    recommendations.redis.set(key, encode_list(replace(listed, items=listed.items[1:])))
    code, out = run("recommendations", capsys=capsys)
    assert code == 1
    assert "recommendations: nobody: has a first page that differs from the list" in out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["search", "--all"]])
def test_verify_refuses_bad_arguments(arguments, db, redis_url):
    with pytest.raises(CommandError):
        call_command("verify", *arguments)


def test_verify_refuses_a_model_without_live_generation(db, redis_url):
    with pytest.raises(CommandError, match="no live generation"):
        call_command("verify", "search")


def test_generation_of_another_version_is_outdated_and_not_compared(db, redis_url, capsys):
    for version in (Search.version + 1, Search.version):
        number = new_generation("search", version=version)
        Pointers(clients.redis()).switch({"search": number})
        [lag] = lags(PostgresStore(config().partitions), Live(clients.redis()), [Search])
        is_outdated = version != Search.version
        assert (lag.is_outdated, lag.is_caught_up) == (is_outdated, not is_outdated)
        if is_outdated:
            with pytest.raises(CommandError, match=f"search, generation {number}, was made by an"):
                call_command("verify", "search")
            with pytest.raises(SystemExit):
                call_command("lag")
            assert f"{number}, outdated" in capsys.readouterr().out
