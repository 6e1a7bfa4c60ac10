"""What can happen at all?"""

from typing import TypeAlias

from events.catalogue.accounts import (
    AccountEvent,
    PreferencesChanged,
    SessionRevoked,
    SessionsRevoked,
    UserRegistered,
)
from events.catalogue.collections import (
    CollectionEvent,
    MovieFavourited,
    MovieHidden,
    MovieUnfavourited,
    MovieUnhidden,
)
from events.catalogue.movies import MovieAdded, MovieDescribed, MovieEvent, MovieLinked
from events.catalogue.playlists import (
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistDescribed,
    PlaylistEvent,
    PlaylistMovieAdded,
    PlaylistMovieMoved,
    PlaylistMovieRemoved,
    PlaylistRenamed,
    PlaylistShown,
    Visibility,
)
from events.catalogue.ratings import MovieRated, RatingEvent, RatingWithdrawn, Score

AnyEvent: TypeAlias = AccountEvent | CollectionEvent | MovieEvent | PlaylistEvent | RatingEvent

__all__ = [
    "AccountEvent",
    "AnyEvent",
    "CollectionEvent",
    "MovieAdded",
    "MovieDescribed",
    "MovieEvent",
    "MovieFavourited",
    "MovieHidden",
    "MovieLinked",
    "MovieRated",
    "MovieUnfavourited",
    "MovieUnhidden",
    "PlaylistCreated",
    "PlaylistDeleted",
    "PlaylistDescribed",
    "PlaylistEvent",
    "PlaylistMovieAdded",
    "PlaylistMovieMoved",
    "PlaylistMovieRemoved",
    "PlaylistRenamed",
    "PlaylistShown",
    "PreferencesChanged",
    "RatingEvent",
    "RatingWithdrawn",
    "Score",
    "SessionRevoked",
    "SessionsRevoked",
    "UserRegistered",
    "Visibility",
]
