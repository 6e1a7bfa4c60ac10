"""Moving a platform: one built from exports equals the exported one.

Two logs and two vaults: the second pair starts empty and gets only the two files (and the pepper,
which is copied with the keys).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.core.management import call_command
from redis import Redis

from events.catalogue import (
    AnyEvent,
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
from events.playlist_ids import playlist_id
from events.recorded import Origin, Stream
from events.store import AppendEntry
from events.store.postgres import PostgresStore
from events.vault import erasures, subjects
from events.vault.decryption import PLAYLIST_DESCRIPTION, PLAYLIST_NAME, EventDecryptor
from events.vault.encryption import encrypt_field
from infra.config import config
from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel
from projectors.verification.fold import InMemoryRedis, Value
from tests.fixtures.servers import renew

PEOPLE = {name: uuid4() for name in ("ann", "bob")}
ERASED_USER = uuid4()
NEXT_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
ORIGIN = Origin(correlation_id=UUID(int=7), causation_id="1-1")


def history(name: str) -> list[tuple[str, list[AnyEvent]]]:
    """Every kind of event of one user, by stream."""
    user = PEOPLE[name]
    email = f"{name}@example.org"
    key = subjects.reserve(
        user, username=name, email=email, password_hash=make_password(f"password of {name}")
    )
    subjects.activate(user)
    sealed = partial(encrypt_field, key, subject=user)
    kept_id, deleted_id = (
        playlist_id(str(user), config().partitions, bytes([n, *user.bytes[:9]])) for n in (1, 2)
    )
    called = partial(sealed, field=PLAYLIST_NAME)
    encrypt_description = partial(sealed, field=PLAYLIST_DESCRIPTION)
    fields: dict[str, Any] = {"user_id": user, "movie_id": 25}
    return [
        (
            f"user-{user}",
            [
                UserRegistered(
                    user_id=user,
                    username=sealed(field="username", text=name),
                    email=sealed(field="email", text=email),
                )
            ],
        ),
        (f"email-{user}", [EmailVerified(user_id=user)]),
        (f"preferences-{user}", [PreferencesChanged(user_id=user, genres=("Drama",))]),
        (
            f"sessions-{user}",
            [
                SessionRevoked(user_id=user, family=user, expires_at=NEXT_YEAR),
                SessionsRevoked(user_id=user, epoch=2),
            ],
        ),
        (f"staff-{user}", [StaffGranted(user_id=user), StaffRevoked(user_id=user)]),
        (
            f"rating-{user}-25",
            [
                MovieRated(**fields, score=7),
                RatingWithdrawn(**fields, previous=7),
                MovieRated(**fields, score=9),
            ],
        ),
        (
            f"favourite-{user}-25",
            [MovieFavourited(**fields), MovieUnfavourited(**fields), MovieFavourited(**fields)],
        ),
        (
            f"hidden-{user}-25",
            [MovieHidden(**fields), MovieUnhidden(**fields), MovieHidden(**fields)],
        ),
        (
            f"playlist-{kept_id}",
            [
                PlaylistCreated(
                    playlist_id=kept_id,
                    user_id=user,
                    name=called(text="Rainy days"),
                    description=encrypt_description(text="Long ones"),
                ),
                PlaylistRenamed(
                    playlist_id=kept_id, user_id=user, name=called(text="Rainy Sundays")
                ),
                PlaylistDescribed(
                    playlist_id=kept_id, user_id=user, description=encrypt_description(text="Short")
                ),
                PlaylistMovieAdded(playlist_id=kept_id, **fields, rank=10),
                PlaylistMovieMoved(playlist_id=kept_id, **fields, rank=20),
                PlaylistShown(playlist_id=kept_id, user_id=user, visibility="public"),
            ],
        ),
        (
            f"playlist-{deleted_id}",
            [
                PlaylistCreated(playlist_id=deleted_id, user_id=user, name=called(text="No more")),
                PlaylistMovieAdded(playlist_id=deleted_id, **fields, rank=10),
                PlaylistMovieRemoved(playlist_id=deleted_id, **fields),
                PlaylistDeleted(playlist_id=deleted_id, user_id=user),
            ],
        ),
    ]


def forgotten() -> list[AppendEntry]:
    """An erased user: their key was destroyed before the export."""
    key = subjects.reserve(ERASED_USER, username="cid", email="cid@example.org", password_hash="")
    subjects.activate(ERASED_USER)
    registered = UserRegistered(
        user_id=ERASED_USER,
        username=encrypt_field(key, subject=ERASED_USER, field="username", text="cid"),
        email=encrypt_field(key, subject=ERASED_USER, field="email", text="cid@example.org"),
    )
    events: dict[str, AnyEvent] = {
        f"user-{ERASED_USER}": registered,
        f"rating-{ERASED_USER}-25": MovieRated(user_id=ERASED_USER, movie_id=25, score=8),
        f"erasure-{ERASED_USER}": UserErased(user_id=ERASED_USER),
    }
    erasures.begin(ERASED_USER)
    erasures.destroy_key(ERASED_USER)
    return [AppendEntry(Stream(name, str(ERASED_USER)), 1, event) for name, event in events.items()]


def movie() -> list[AnyEvent]:
    return [
        MovieAdded(movie_id=25, title="Alien", year=1979, genres=("Horror",)),
        MovieDescribed(movie_id=25, title="Alien", year=1979, genres=("Horror", "Drama")),
        MovieLinked(movie_id=25, source="imdb", external_id="tt0078748"),
        MovieDetailed(movie_id=25, runtime_minutes=117, titles={"fr": "Le huitième passager"}),
        MovieWithdrawn(movie_id=25, reason="a double"),
        MovieRestored(movie_id=25),
    ]


def live() -> None:
    entries = [
        AppendEntry(Stream("movie-25", "25"), nth, event)
        for nth, event in enumerate(movie(), start=1)
    ]
    board = TrendObserved(board="tmdb-day", source="tmdb", window="day", movies=(25,))
    entries.append(AppendEntry(Stream("trend-tmdb-day-2026-03-01", "tmdb-day"), 1, board))
    for name, user in PEOPLE.items():
        entries += [
            AppendEntry(Stream(stream, str(user)), nth, event)
            for stream, events in history(name)
            for nth, event in enumerate(events, start=1)
        ]
    entries += forgotten()
    assert {type(entry.event) for entry in entries} == set(get_args(AnyEvent))
    PostgresStore(config().partitions).append_many(entries, origin=ORIGIN)


def states() -> dict[str, Mapping[str, Value]]:
    """The state of each read model, folded from the current log and vault."""
    return {model.name: folded(model(Redis(), 1)) for model in MODELS}


def folded(model: ReadModel) -> Mapping[str, Value]:
    store, decryptor, redis = PostgresStore(config().partitions), EventDecryptor(), InMemoryRedis()
    for partition in range(store.partitions):
        if batch := store.page(partition, after=0, limit=1000):
            shard = model.shard(partition)
            writes = model.writes(shard, model.decrypted(batch, decryptor.decrypt_all))
            redis.apply(write for write in writes if str(write[1]).startswith(shard.state("")))
    return redis.values


def rows() -> list[object]:
    store = PostgresStore(config().partitions)
    return [list(store.page_stored(p, after=0, limit=1000)) for p in range(store.partitions)]


def run(*words: object) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_moved_platform_gives_the_same_answers_to_the_same_users(
    vault_database, keys, tmp_path, name
):
    live()
    before, tables_before = states(), rows()
    assert all(before.values())
    assert b"Rainy Sundays" in repr(before).encode()
    run("events", "export", tmp_path / name)
    run("keys", "export", tmp_path / "vault.jsonl")

    renew()
    assert rows() == [[]] * config().partitions
    assert subjects.find("ann") is None

    run("events", "import", tmp_path / name)
    assert rows() == tables_before
    with pytest.raises(subjects.KeyMissing):  # waits until the keys are imported
        states()
    run("keys", "import", tmp_path / "vault.jsonl")
    assert states() == before
    assert "all are readable, no gaps" in run("events", "verify")
    for name_, user in PEOPLE.items():
        credentials = subjects.find(f"{name_}@example.org")
        assert credentials is not None
        assert (credentials.user_id, credentials.is_active) == (user, True)
        assert check_password(f"password of {name_}", credentials.password_hash)
