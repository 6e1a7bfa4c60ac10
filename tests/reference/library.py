"""Reference fold of users' libraries."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from events.catalogue import (
    MovieFavourited,
    MovieHidden,
    MovieRated,
    MovieUnfavourited,
    MovieUnhidden,
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistDescribed,
    PlaylistEvent,
    PlaylistMovieAdded,
    PlaylistMovieMoved,
    PlaylistMovieRemoved,
    PlaylistRenamed,
    PlaylistShown,
    RatingWithdrawn,
    UserErased,
)
from events.recorded import Recorded
from tests.reference.opinions import Opinion, opinions


@dataclass
class Playlist:
    """A playlist."""

    owner: UUID
    name: str
    description: str | None
    visibility: str
    ranks: dict[int, int] = field(default_factory=dict)
    version: int = 0

    @property
    def movies(self) -> list[int]:
        """Its movies in order of rank."""
        return [movie for _, movie in sorted((rank, movie) for movie, rank in self.ranks.items())]


@dataclass
class Library:
    """A user's library; movies with the time they were added."""

    ratings: dict[int, Opinion] = field(default_factory=dict)
    favourites: dict[int, datetime] = field(default_factory=dict)
    hidden: dict[int, datetime] = field(default_factory=dict)
    playlists: dict[str, Playlist] = field(default_factory=dict)


def libraries(history: Iterable[Recorded]) -> dict[UUID, Library]:
    """All libraries; texts of playlists as in the events, encrypted or decrypted."""
    history = list(history)
    libraries_by_user: dict[UUID, Library] = {}
    for user, own in _since_erased(history).items():
        for (_, movie), opinion in opinions(own).items():
            _of(libraries_by_user, user).ratings[movie] = opinion
    for recorded in history:
        _collect(libraries_by_user, recorded)
    for playlist_id, playlist in playlists(history).items():
        _of(libraries_by_user, playlist.owner).playlists[playlist_id] = playlist
    return libraries_by_user


def erased(history: Iterable[Recorded]) -> set[UUID]:
    """All erased users, whatever was recorded of them later."""
    return {it.event.user_id for it in history if isinstance(it.event, UserErased)}


def playlists(history: Iterable[Recorded]) -> dict[str, Playlist]:
    """All playlists in the end; a version is the number of a playlist's events."""
    playlists_by_id: dict[str, Playlist] = {}
    erased: set[str] = set()
    for recorded in history:
        event = recorded.event
        if isinstance(event, UserErased):
            existing = playlists_by_id.keys() & {*event.playlists}
            erased |= existing
            for playlist_id in existing:
                del playlists_by_id[playlist_id]
        elif isinstance(event, PlaylistEvent) and event.playlist_id not in erased:
            _change(playlists_by_id, event)
    return playlists_by_id


def _since_erased(history: Iterable[Recorded]) -> dict[UUID, list[Recorded]]:
    """All events except those of erased users before their erasure."""
    by_user: dict[UUID, list[Recorded]] = {}
    for recorded in history:
        match recorded.event:
            case UserErased(user_id=user):
                by_user[user] = []
            case MovieRated(user_id=user) | RatingWithdrawn(user_id=user):
                by_user.setdefault(user, []).append(recorded)
            case _:
                continue
    return by_user


def _of(libraries_by_user: dict[UUID, Library], user: UUID) -> Library:
    return libraries_by_user.setdefault(user, Library())


def _collect(libraries_by_user: dict[UUID, Library], recorded: Recorded) -> None:
    match recorded.event:
        case MovieFavourited(user_id=user, movie_id=movie):
            _of(libraries_by_user, user).favourites[movie] = recorded.occurred_at
        case MovieUnfavourited(user_id=user, movie_id=movie):
            _of(libraries_by_user, user).favourites.pop(movie, None)  # the owner may be erased
        case MovieHidden(user_id=user, movie_id=movie):
            _of(libraries_by_user, user).hidden[movie] = recorded.occurred_at
        case MovieUnhidden(user_id=user, movie_id=movie):
            _of(libraries_by_user, user).hidden.pop(movie, None)
        case UserErased(user_id=user):
            libraries_by_user.setdefault(user, Library())
            libraries_by_user[user].favourites.clear()
            libraries_by_user[user].hidden.clear()
        case _:
            return


def _change(playlists_by_id: dict[str, Playlist], event: PlaylistEvent) -> None:
    playlist = playlists_by_id.setdefault(event.playlist_id, Playlist(event.user_id, "", None, ""))
    playlist.version += 1
    match event:
        case PlaylistCreated(name=name, description=description, visibility=visibility):
            playlist.name, playlist.description = name, description
            playlist.visibility = visibility
        case PlaylistRenamed(name=name):
            playlist.name = name
        case PlaylistDescribed(description=description):
            playlist.description = description
        case PlaylistShown(visibility=visibility):
            playlist.visibility = visibility
        case PlaylistMovieAdded(movie_id=movie, rank=rank):
            playlist.ranks[movie] = rank
        case PlaylistMovieMoved(movie_id=movie, rank=rank):
            playlist.ranks[movie] = rank
        case PlaylistMovieRemoved(movie_id=movie):
            del playlist.ranks[movie]
        case PlaylistDeleted():
            del playlists_by_id[event.playlist_id]
