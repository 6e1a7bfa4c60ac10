"""What can happen to a playlist?

Names and descriptions are a user's own words, so they are sealed (events/vault). Movies are in the
order of their ranks: integers, unique within a playlist, with room between them, so that whoever
keeps the order writes one number and moves nothing else. Every event says whose playlist it is, so
a projector needs no look-up.
"""

from typing import Literal, TypeAlias
from uuid import UUID

from events.catalogue.accounts import EncryptedField
from events.event import Event

Visibility: TypeAlias = Literal["private", "public"]


class PlaylistCreated(Event, frozen=True, kw_only=True, tag="playlist-created.v1"):
    """A user began a playlist."""

    playlist_id: str
    user_id: UUID
    name: EncryptedField
    description: EncryptedField | None = None
    visibility: Visibility = "private"


class PlaylistRenamed(Event, frozen=True, kw_only=True, tag="playlist-renamed.v1"):
    """A playlist has another name."""

    playlist_id: str
    user_id: UUID
    name: EncryptedField


class PlaylistDescribed(Event, frozen=True, kw_only=True, tag="playlist-described.v1"):
    """A playlist has another description, or none any more."""

    playlist_id: str
    user_id: UUID
    description: EncryptedField | None


class PlaylistShown(Event, frozen=True, kw_only=True, tag="playlist-shown.v1"):
    """Who may see a playlist changed."""

    playlist_id: str
    user_id: UUID
    visibility: Visibility


class PlaylistMovieAdded(Event, frozen=True, kw_only=True, tag="playlist-movie-added.v1"):
    """A movie was put into a playlist."""

    playlist_id: str
    user_id: UUID
    movie_id: int
    rank: int


class PlaylistMovieMoved(Event, frozen=True, kw_only=True, tag="playlist-movie-moved.v1"):
    """A movie of a playlist has another rank: it went elsewhere, or made room for one that did."""

    playlist_id: str
    user_id: UUID
    movie_id: int
    rank: int


class PlaylistMovieRemoved(Event, frozen=True, kw_only=True, tag="playlist-movie-removed.v1"):
    """A movie was taken out of a playlist."""

    playlist_id: str
    user_id: UUID
    movie_id: int


class PlaylistDeleted(Event, frozen=True, kw_only=True, tag="playlist-deleted.v1"):
    """A playlist is gone."""

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
