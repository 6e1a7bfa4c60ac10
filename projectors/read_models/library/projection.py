"""Projection of the library: entries and profile fields that each event changes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias, get_args

import msgspec

from events.catalogue import (
    AnyEvent,
    MovieFavourited,
    MovieHidden,
    MovieRated,
    MovieUnfavourited,
    MovieUnhidden,
    PreferencesChanged,
    RatingWithdrawn,
    UserErased,
    UserRegistered,
)
from events.recorded import Recorded

LibraryKind: TypeAlias = Literal["ratings", "favourites", "hidden"]
KINDS: Sequence[LibraryKind] = get_args(LibraryKind)

_encode = msgspec.json.Encoder().encode


class UserRating(NamedTuple):
    """A user's score of a movie, and when it was given."""

    movie: int
    score: int
    at: datetime


class FlaggedMovie(NamedTuple):
    """A favourite or hidden movie, and since when it is one."""

    movie: int
    at: datetime


def entry_updates(
    batch: Sequence[Recorded],
) -> Mapping[tuple[LibraryKind, str], Mapping[int, str | None]]:
    """Return (kind, user) -> movie -> packed value after the batch; None means removed."""
    updates: defaultdict[tuple[LibraryKind, str], dict[int, str | None]] = defaultdict(dict)
    for recorded in batch:
        match recorded.event:
            case MovieRated(user_id=user, movie_id=movie, score=score):
                rating = f"{score}:{to_milliseconds(recorded.occurred_at)}"
                updates["ratings", str(user)][movie] = rating
            case RatingWithdrawn(user_id=user, movie_id=movie):
                updates["ratings", str(user)][movie] = None
            case MovieFavourited(user_id=user, movie_id=movie):
                updates["favourites", str(user)][movie] = to_milliseconds(recorded.occurred_at)
            case MovieUnfavourited(user_id=user, movie_id=movie):
                updates["favourites", str(user)][movie] = None
            case MovieHidden(user_id=user, movie_id=movie):
                updates["hidden", str(user)][movie] = to_milliseconds(recorded.occurred_at)
            case MovieUnhidden(user_id=user, movie_id=movie):
                updates["hidden", str(user)][movie] = None
            case UserErased(user_id=user):
                for kind in KINDS:
                    updates.pop((kind, str(user)), None)
            case _:  # not about a user's movies
                continue
    return updates


def profile_updates(events: Iterable[AnyEvent]) -> Mapping[str, Mapping[str, str]]:
    """Return user -> profile fields that the events set."""
    updates: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for event in events:
        match event:
            case UserRegistered(user_id=user, username=username):
                updates[str(user)]["username"] = username
            case PreferencesChanged(user_id=user):
                preferences = UserPreferences(event.genres, event.public_activity, event.strategy)
                updates[str(user)]["preferences"] = _encode(preferences).decode()
            case UserErased(user_id=user):
                updates.pop(str(user), None)
            case _:  # not about a profile
                continue
    return updates


class UserPreferences(msgspec.Struct, frozen=True):
    """A user's preferred genres, and what they let others see."""

    genres: tuple[str, ...] = ()
    public_activity: bool = False
    strategy: str | None = None


def unpack_rating(movie: int, rating: bytes) -> UserRating:
    score, _, at = rating.partition(b":")
    return UserRating(movie, int(score), from_milliseconds(at))


def to_milliseconds(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))


def from_milliseconds(at: bytes) -> datetime:
    return datetime.fromtimestamp(int(at) / 1000, UTC)
