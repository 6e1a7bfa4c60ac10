"""What does each event say of a user's taste?"""

from collections.abc import Sequence

import msgspec

from events.catalogue import MovieRated, PreferencesChanged, RatingWithdrawn
from events.recorded import Recorded

_encode = msgspec.json.Encoder().encode
_genres = msgspec.json.Decoder(tuple[str, ...])


class Change(msgspec.Struct, kw_only=True):
    """What some events together change for one user."""

    history: dict[int, str | None] = msgspec.field(default_factory=dict)
    """Movie -> the packed rating it has now, or None for none any more."""
    preferences: str | None = None
    offset: int = 0
    """That of the last event that says something."""


def changes(batch: Sequence[Recorded]) -> dict[str, Change]:
    """User -> what the events of one partition, in order, change."""
    found: dict[str, Change] = {}
    for recorded in batch:
        match recorded.event:
            case MovieRated(user_id=user, movie_id=movie, score=score):
                change = _of(found, str(user), recorded.offset)
                change.history[movie] = _packed(score, recorded)
            case RatingWithdrawn(user_id=user, movie_id=movie):
                _of(found, str(user), recorded.offset).history[movie] = None
            case PreferencesChanged(user_id=user, genres=genres):
                change = _of(found, str(user), recorded.offset)
                change.preferences = _encode(genres).decode()
            case _:  # says nothing about taste
                continue
    return found


def score_of(packed: bytes) -> int:
    """The score of a packed rating."""
    return int(packed.partition(b":")[0])


def genres_of(preferences: bytes | None) -> tuple[str, ...]:
    """The genres that a user prefers."""
    return () if preferences is None else _genres.decode(preferences)


def _of(found: dict[str, Change], user: str, offset: int) -> Change:
    change = found.get(user)
    if change is None:
        change = found[user] = Change()
    change.offset = offset
    return change


def _packed(score: int, recorded: Recorded) -> str:
    return f"{score}:{round(recorded.occurred_at.timestamp() * 1000)}"
