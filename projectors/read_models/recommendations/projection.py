"""Projection of recommendations: a user's scores, favourites, hidden movies and preferences."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from events.catalogue import (
    MovieFavourited,
    MovieHidden,
    MovieRated,
    MovieUnfavourited,
    MovieUnhidden,
    PreferencesChanged,
    RatingWithdrawn,
    UserErased,
)
from events.recorded import Recorded

_encode = msgspec.json.Encoder().encode
_genres = msgspec.json.Decoder(tuple[str, ...])


TasteKind: TypeAlias = Literal["history", "favourites", "hidden"]
KINDS: Sequence[TasteKind] = ("history", "favourites", "hidden")


class TimedScore(NamedTuple):
    """A score, and when it was given, in milliseconds."""

    score: int
    at: int


class TasteChange(msgspec.Struct, kw_only=True):
    """The sum of a batch's changes to one user."""

    is_reset: bool = False
    """Whether the earlier taste is deleted first."""
    movies: defaultdict[TasteKind, dict[int, str | None]] = msgspec.field(
        default_factory=partial(defaultdict, dict)
    )
    """Movie -> the packed rating (or since when), or None if removed."""
    preferences: str | None = None
    offset: int = 0
    """The offset of the last event that changed something."""


def taste_changes(batch: Sequence[Recorded]) -> Mapping[str, TasteChange]:
    """Sum up one partition's events, in order, by user."""
    changes: defaultdict[str, TasteChange] = defaultdict(TasteChange)
    for recorded in batch:
        match recorded.event:
            case MovieRated(user_id=user, movie_id=movie, score=score):
                change = changes[str(user)]
                change.movies["history"][movie] = f"{score}:{_at(recorded)}"
            case RatingWithdrawn(user_id=user, movie_id=movie):
                change = changes[str(user)]
                change.movies["history"][movie] = None
            case MovieFavourited(user_id=user, movie_id=movie):
                change = changes[str(user)]
                change.movies["favourites"][movie] = _at(recorded)
            case MovieUnfavourited(user_id=user, movie_id=movie):
                change = changes[str(user)]
                change.movies["favourites"][movie] = None
            case MovieHidden(user_id=user, movie_id=movie):
                change = changes[str(user)]
                change.movies["hidden"][movie] = _at(recorded)
            case MovieUnhidden(user_id=user, movie_id=movie):
                change = changes[str(user)]
                change.movies["hidden"][movie] = None
            case PreferencesChanged(user_id=user, genres=genres):
                change = changes[str(user)]
                change.preferences = _encode(genres).decode()
            case UserErased(user_id=user):
                change = changes[str(user)] = TasteChange(is_reset=True)
            case _:  # not about taste
                continue
        change.offset = recorded.offset
    return changes


def unpack_score(rating: bytes) -> TimedScore:
    score, _, at = rating.partition(b":")
    return TimedScore(int(score), int(at))


def decode_genres(preferences: bytes | None) -> tuple[str, ...]:
    return () if preferences is None else _genres.decode(preferences)


def _at(recorded: Recorded) -> str:
    return str(round(recorded.occurred_at.timestamp() * 1000))
