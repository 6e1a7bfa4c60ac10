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
    found: dict[UUID, Library] = {}
    for user, own in _since_erased(history).items():
        for (_, movie), opinion in opinions(own).items():
            _of(found, user).ratings[movie] = opinion
    for recorded in history:
        _collect(found, recorded)
    for playlist_id, playlist in playlists(history).items():
        _of(found, playlist.owner).playlists[playlist_id] = playlist
    return found


def erased(history: Iterable[Recorded]) -> set[UUID]:
    """All erased users, whatever was recorded of them later."""
    return {it.event.user_id for it in history if isinstance(it.event, UserErased)}


def playlists(history: Iterable[Recorded]) -> dict[str, Playlist]:
    """All playlists in the end; a version is the number of a playlist's events."""
    found: dict[str, Playlist] = {}
    erased: set[str] = set()
    for recorded in history:
        event = recorded.event
        if isinstance(event, UserErased):
            there = found.keys() & {*event.playlists}
            erased |= there
            for playlist_id in there:
                del found[playlist_id]
        elif isinstance(event, PlaylistEvent) and event.playlist_id not in erased:
            _change(found, event)
    return found


def _since_erased(history: Iterable[Recorded]) -> dict[UUID, list[Recorded]]:
    """All events, without those of erased users before their erasure."""
    found: dict[UUID, list[Recorded]] = {}
    for recorded in history:
        match recorded.event:
            case UserErased(user_id=user):
                found[user] = []
            case MovieRated(user_id=user) | RatingWithdrawn(user_id=user):
                found.setdefault(user, []).append(recorded)
            case _:
                continue
    return found


def _of(found: dict[UUID, Library], user: UUID) -> Library:
    return found.setdefault(user, Library())


def _collect(found: dict[UUID, Library], recorded: Recorded) -> None:
    match recorded.event:
        case MovieFavourited(user_id=user, movie_id=movie):
            _of(found, user).favourites[movie] = recorded.occurred_at
        case MovieUnfavourited(user_id=user, movie_id=movie):
            _of(found, user).favourites.pop(movie, None)  # whose it is may have been erased
        case MovieHidden(user_id=user, movie_id=movie):
            _of(found, user).hidden[movie] = recorded.occurred_at
        case MovieUnhidden(user_id=user, movie_id=movie):
            _of(found, user).hidden.pop(movie, None)
        case UserErased(user_id=user):
            found.setdefault(user, Library())
            found[user].favourites.clear()
            found[user].hidden.clear()
        case _:
            return


def _change(found: dict[str, Playlist], event: PlaylistEvent) -> None:
    playlist = found.setdefault(event.playlist_id, Playlist(event.user_id, "", None, ""))
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
            del found[event.playlist_id]
