"""Events of playlists.

Names and descriptions are a user's own words, so they are encrypted (events/vault). Movies are
ordered by rank: integers, unique within a playlist, with gaps, so that moving one writes one rank.
Every event names the playlist's owner, so a projector needs no look-up.
"""

from typing import Literal, TypeAlias
from uuid import UUID

from events.catalogue.accounts import EncryptedField
from events.event import Event

Visibility: TypeAlias = Literal["private", "public"]


class PlaylistCreated(Event, frozen=True, kw_only=True, tag="playlist-created.v1"):
    """A user created a playlist."""

    playlist_id: str
    user_id: UUID
    name: EncryptedField
    description: EncryptedField | None = None
    visibility: Visibility = "private"


class PlaylistRenamed(Event, frozen=True, kw_only=True, tag="playlist-renamed.v1"):
    """A playlist's name changed."""

    playlist_id: str
    user_id: UUID
    name: EncryptedField


class PlaylistDescribed(Event, frozen=True, kw_only=True, tag="playlist-described.v1"):
    """A playlist's description changed or was removed."""

    playlist_id: str
    user_id: UUID
    description: EncryptedField | None


class PlaylistShown(Event, frozen=True, kw_only=True, tag="playlist-shown.v1"):
    """A playlist's visibility changed."""

    playlist_id: str
    user_id: UUID
    visibility: Visibility


class PlaylistMovieAdded(Event, frozen=True, kw_only=True, tag="playlist-movie-added.v1"):
    """A movie was added to a playlist."""

    playlist_id: str
    user_id: UUID
    movie_id: int
    rank: int


class PlaylistMovieMoved(Event, frozen=True, kw_only=True, tag="playlist-movie-moved.v1"):
    """A movie of a playlist has another rank: it was moved, or made room for one that was."""

    playlist_id: str
    user_id: UUID
    movie_id: int
    rank: int


class PlaylistMovieRemoved(Event, frozen=True, kw_only=True, tag="playlist-movie-removed.v1"):
    """A movie was removed from a playlist."""

    playlist_id: str
    user_id: UUID
    movie_id: int


class PlaylistDeleted(Event, frozen=True, kw_only=True, tag="playlist-deleted.v1"):
    """A playlist was deleted."""

    playlist_id: str
    user_id: UUID


PlaylistEvent: TypeAlias = (
    PlaylistCreated
    | PlaylistRenamed
    | PlaylistDescribed
    | PlaylistShown
    | PlaylistMovieAdded
    | PlaylistMovieMoved
    | PlaylistMovieRemoved
    | PlaylistDeleted
)
