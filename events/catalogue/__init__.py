"""Event catalogue: every event type of the platform."""

from typing import TypeAlias

from events.catalogue.accounts import (
    AccountEvent,
    EmailVerified,
    PreferencesChanged,
    SessionRevoked,
    SessionsRevoked,
    StaffGranted,
    StaffRevoked,
    UserErased,
    UserRegistered,
)
from events.catalogue.collections import (
    CollectionEvent,
    MovieFavourited,
    MovieHidden,
    MovieUnfavourited,
    MovieUnhidden,
)
from events.catalogue.movies import (
    Credit,
    MovieAdded,
    MovieDescribed,
    MovieDetailed,
    MovieEvent,
    MovieLinked,
    MovieRestored,
    MovieWithdrawn,
)
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
from events.catalogue.trends import TrendEvent, TrendObserved, TrendWindow

AnyEvent: TypeAlias = (
    AccountEvent | CollectionEvent | MovieEvent | PlaylistEvent | RatingEvent | TrendEvent
)

__all__ = [
    "AccountEvent",
    "AnyEvent",
    "CollectionEvent",
    "Credit",
    "EmailVerified",
    "MovieAdded",
    "MovieDescribed",
    "MovieDetailed",
    "MovieEvent",
    "MovieFavourited",
    "MovieHidden",
    "MovieLinked",
    "MovieRated",
    "MovieRestored",
    "MovieUnfavourited",
    "MovieUnhidden",
    "MovieWithdrawn",
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
    "StaffGranted",
    "StaffRevoked",
    "TrendEvent",
    "TrendObserved",
    "TrendWindow",
    "UserErased",
    "UserRegistered",
    "Visibility",
]
