"""Library: playlists, favourites, hidden movies and profiles."""

from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from events.catalogue import (
    MovieFavourited,
    MovieHidden,
    MovieUnfavourited,
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistDescribed,
    PlaylistMovieAdded,
    PlaylistMovieMoved,
    PlaylistMovieRemoved,
    PlaylistRenamed,
    PlaylistShown,
    PreferencesChanged,
    UserRegistered,
)
from events.catalogue.accounts import EncryptedField
from events.playlist_ids import InvalidPlaylistId, playlist_id
from infra.config import config
from projectors.read_models.library.playlists import read_order, read_playlist
from projectors.read_models.library.projection import FlaggedMovie, UserPreferences
from projectors.read_models.library.read_model import Library, read_playlist_ids, read_profile
from tests.fixtures import model_access
from tests.fixtures.recording import NOON, Recording

ANN, BOB = UUID(int=1), UUID(int=2)
ALIEN, HEAT, TRON = 1, 2, 3
RAINY = playlist_id(str(ANN), config().partitions, bytes(10))
OTHER = playlist_id(str(ANN), config().partitions, bytes([1] * 10))
HOUR = timedelta(hours=1)


@pytest.fixture
def library(redis):
    return Library(redis, 1)


@pytest.fixture
def apply_event(library, recording):
    def apply_event(*events, at=NOON):
        for event in events:
            model_access.apply(library, [recording.record(event, at=at)])

    return apply_event


def created(id_=RAINY, name="Rainy days", **more):
    return PlaylistCreated(playlist_id=id_, user_id=ANN, name=EncryptedField(name), **more)


def rainy_playlist_event(kind, **more):
    return kind(playlist_id=RAINY, user_id=ANN, **more)


def read(library, enqueue, *arguments):
    with library.redis.pipeline(transaction=False) as pipe:
        enqueue(pipe, *arguments)
        return pipe.execute()


def read_whole(library, id_=RAINY):
    about, ranks = read(library, library.enqueue_playlist, id_)
    return read_playlist(id_, about), [movie for _, movie in read_order(ranks)]


def test_new_playlist_is_stored(library, apply_event):
    apply_event(created(description=EncryptedField("For Sundays"), visibility="public"))
    playlist, movies = read_whole(library)
    assert (playlist.owner, playlist.name, playlist.description) == (
        str(ANN),
        "Rainy days",
        "For Sundays",
    )
    assert (playlist.visibility, playlist.version, playlist.size) == ("public", 1, 0)
    assert (playlist.created_at, playlist.updated_at) == (NOON, NOON)
    assert movies == []


def test_playlist_movies_sort_by_rank(library, apply_event):
    apply_event(
        created(),
        rainy_playlist_event(PlaylistMovieAdded, movie_id=ALIEN, rank=2**50),
        rainy_playlist_event(PlaylistMovieAdded, movie_id=HEAT, rank=-5),
        rainy_playlist_event(PlaylistMovieAdded, movie_id=TRON, rank=9),
    )
    assert read_whole(library)[1] == [HEAT, TRON, ALIEN]
    apply_event(
        rainy_playlist_event(PlaylistMovieMoved, movie_id=HEAT, rank=2**50 + 1),
        rainy_playlist_event(PlaylistMovieRemoved, movie_id=TRON),
    )
    playlist, movies = read_whole(library)
    assert movies == [ALIEN, HEAT]
    assert playlist.size == 2


def test_playlist_fields_change(library, apply_event):
    apply_event(created(description=EncryptedField("For Sundays")))
    apply_event(
        rainy_playlist_event(PlaylistRenamed, name=EncryptedField("Sunny days")),
        rainy_playlist_event(PlaylistDescribed, description=None),
        rainy_playlist_event(PlaylistShown, visibility="public"),
        at=NOON + HOUR,
    )
    playlist, _ = read_whole(library)
    assert (playlist.name, playlist.description) == ("Sunny days", None)
    assert playlist.visibility == "public"
    assert (playlist.created_at, playlist.updated_at) == (NOON, NOON + HOUR)


def test_deleted_playlist_leaves_nothing(library, apply_event):
    apply_event(created(), rainy_playlist_event(PlaylistMovieAdded, movie_id=ALIEN, rank=1))
    apply_event(rainy_playlist_event(PlaylistDeleted))
    assert read_whole(library) == (None, [])
    assert library.playlists([RAINY]) == []
    assert list(library.redis.scan_iter(match="{library.*:state:*")) == []


def test_playlist_version_is_that_of_its_last_event(library, recording):
    first = recording.record(created())
    model_access.apply(library, [first])
    later = recording.record(rainy_playlist_event(PlaylistRenamed, name=EncryptedField("x")))
    model_access.apply(
        library,
        [type(later)(**{f: getattr(later, f) for f in later.__struct_fields__} | {"version": 7})],
    )
    assert library.playlists([RAINY])[0].version == 7


def test_own_playlists_are_newest_first(library, apply_event):
    apply_event(created())
    apply_event(created(OTHER, "Other"), at=NOON + HOUR)
    [playlists] = read(library, library.enqueue_playlists, ANN)
    assert [id_ for _, id_ in read_playlist_ids(playlists)] == [OTHER, RAINY]
    assert read(library, library.enqueue_playlists, BOB) == [{}]


def test_invalid_playlist_id_raises(library):
    with pytest.raises(InvalidPlaylistId):
        library.playlists(["../etc"])
    assert library.playlists(["fff" + 20 * "0"]) == []


def test_favourites_and_hidden_movies_are_newest_first(library, apply_event):
    apply_event(
        MovieFavourited(user_id=ANN, movie_id=ALIEN), MovieHidden(user_id=ANN, movie_id=HEAT)
    )
    apply_event(MovieFavourited(user_id=ANN, movie_id=TRON), at=NOON + HOUR)
    assert model_access.flagged(library, "favourites", ANN) == [
        FlaggedMovie(TRON, NOON + HOUR),
        FlaggedMovie(ALIEN, NOON),
    ]
    assert model_access.flagged(library, "hidden", ANN) == [FlaggedMovie(HEAT, NOON)]
    apply_event(MovieUnfavourited(user_id=ANN, movie_id=TRON))
    assert model_access.flagged(library, "favourites", ANN) == [FlaggedMovie(ALIEN, NOON)]
    assert model_access.flagged(library, "favourites", BOB) == []


def test_profile_has_name_preferences_and_counts(library, apply_event):
    assert read_profile(read(library, library.enqueue_profile, ANN)).username is None
    apply_event(
        UserRegistered(
            user_id=ANN, username=EncryptedField("ann"), email=EncryptedField("ann@example.org")
        ),
        PreferencesChanged(user_id=ANN, genres=("War",), public_activity=True),
        MovieFavourited(user_id=ANN, movie_id=ALIEN),
        created(),
    )
    person = read_profile(read(library, library.enqueue_profile, ANN))
    assert (person.username, person.preferences) == ("ann", UserPreferences(("War",), True))
    assert person.counts == {"ratings": 0, "favourites": 1, "hidden": 0, "playlists": 1}
    assert library.usernames([str(ANN), str(BOB)]) == {str(ANN): "ann"}
    assert b"example.org" not in b"".join(
        library.redis.dump(key) for key in library.redis.scan_iter()
    )


def test_library_does_not_depend_on_batch_size(redis):
    chance = Random(7)
    recording = Recording()
    events = [recording.record(created())]
    for movie in range(20):
        events.append(
            recording.record(rainy_playlist_event(PlaylistMovieAdded, movie_id=movie, rank=movie))
        )
        moved = rainy_playlist_event(PlaylistMovieMoved, movie_id=movie, rank=-movie)
        events.append(recording.record(moved))
    one, other = Library(redis, 1), Library(redis, 2)
    model_access.apply(one, events)
    model_access.apply(one, events)
    at = 0
    while at < len(events):
        some = chance.randint(1, 7)
        model_access.apply(other, events[at : at + some])
        at += some
    assert read_whole(one) == read_whole(other)
    assert read_whole(one)[1] == list(reversed(range(20)))
