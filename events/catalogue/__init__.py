"""What can happen at all?"""

from typing import TypeAlias

from events.catalogue.accounts import (
    AccountEvent,
    PreferencesChanged,
    SessionRevoked,
    SessionsRevoked,
    UserRegistered,
)
from events.catalogue.movies import MovieAdded, MovieDescribed, MovieEvent, MovieLinked
from events.catalogue.ratings import MovieRated, RatingEvent, RatingWithdrawn, Score

AnyEvent: TypeAlias = AccountEvent | MovieEvent | RatingEvent

__all__ = [
    "AccountEvent",
    "AnyEvent",
    "MovieAdded",
    "MovieDescribed",
    "MovieEvent",
    "MovieLinked",
    "MovieRated",
    "PreferencesChanged",
    "RatingEvent",
    "RatingWithdrawn",
    "Score",
    "SessionRevoked",
    "SessionsRevoked",
    "UserRegistered",
]
