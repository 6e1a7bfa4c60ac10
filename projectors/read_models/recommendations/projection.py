"""Projection of recommendations: a user's scores, favourites, hidden movies and preferences."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from events.catalogue import (
    CollectionEvent,
    MovieFavourited,
    MovieHidden,
    MovieRated,
    MovieUnfavourited,
    MovieUnhidden,
    PreferencesChanged,
    RatingEvent,
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
    movies: dict[TasteKind, dict[int, str | None]] = msgspec.field(default_factory=dict)
    """Movie -> the packed rating (or since when), or None if removed."""
    preferences: str | None = None
    offset: int = 0
    """The offset of the last event that changed something."""


def taste_changes(batch: Sequence[Recorded]) -> dict[str, TasteChange]:
    """Sum up one partition's events, in order, by user."""
    found: dict[str, TasteChange] = {}
    for recorded in batch:
        match recorded.event:
            case MovieRated(score=score):
                _set_movie(found, recorded, recorded.event, "history", f"{score}:{_at(recorded)}")
            case RatingWithdrawn():
                _set_movie(found, recorded, recorded.event, "history", None)
            case MovieFavourited():
                _set_movie(found, recorded, recorded.event, "favourites", _at(recorded))
            case MovieUnfavourited():
                _set_movie(found, recorded, recorded.event, "favourites", None)
            case MovieHidden():
                _set_movie(found, recorded, recorded.event, "hidden", _at(recorded))
            case MovieUnhidden():
                _set_movie(found, recorded, recorded.event, "hidden", None)
            case PreferencesChanged(user_id=user, genres=genres):
                change = _of(found, str(user), recorded.offset)
                change.preferences = _encode(genres).decode()
            case UserErased(user_id=user):
                found[str(user)] = TasteChange(is_reset=True, offset=recorded.offset)
            case _:  # not about taste
                continue
    return found


def unpack_score(rating: bytes) -> TimedScore:
    score, _, at = rating.partition(b":")
    return TimedScore(int(score), int(at))


def decode_genres(preferences: bytes | None) -> tuple[str, ...]:
    return () if preferences is None else _genres.decode(preferences)


def _set_movie(
    found: dict[str, TasteChange],
    recorded: Recorded,
    event: RatingEvent | CollectionEvent,
    kind: TasteKind,
    packed: str | None,
) -> None:
    change = _of(found, str(event.user_id), recorded.offset)
    change.movies.setdefault(kind, {})[event.movie_id] = packed


def _of(found: dict[str, TasteChange], user: str, offset: int) -> TasteChange:
    change = found.get(user)
    if change is None:
        change = found[user] = TasteChange()
    change.offset = offset
    return change


def _at(recorded: Recorded) -> str:
    return str(round(recorded.occurred_at.timestamp() * 1000))
