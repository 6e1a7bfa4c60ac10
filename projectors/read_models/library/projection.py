"""What does each event say of what a user rated, keeps or hides, and of who the user is?"""

from collections.abc import Iterable, Iterator, Sequence
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

Kind: TypeAlias = Literal["ratings", "favourites", "hidden"]
KINDS: Sequence[Kind] = get_args(Kind)

_encode = msgspec.json.Encoder().encode


class Rating(NamedTuple):
    """A user's score of a movie, and since when it is so."""

    movie: int
    score: int
    at: datetime


class Kept(NamedTuple):
    """A movie that a user keeps or hides, and since when."""

    movie: int
    at: datetime


class Change(NamedTuple):
    """What is kept of one movie now: packed, or None for nothing any more."""

    kind: Kind
    user: str
    movie: int
    packed: str | None


class Erased(NamedTuple):
    """All that was said of a user's movies before is void."""

    user: str


def changes(batch: Sequence[Recorded]) -> dict[tuple[Kind, str], dict[int, str | None]]:
    """(What, whose) -> movie -> what is kept of it after these events, or None."""
    found: dict[tuple[Kind, str], dict[int, str | None]] = {}
    for change in _changes(batch):
        if isinstance(change, Erased):
            for kind in KINDS:
                found.pop((kind, change.user), None)
        else:
            found.setdefault((change.kind, change.user), {})[change.movie] = change.packed
    return found


def erased(events: Iterable[AnyEvent]) -> list[str]:
    """Those of whom nothing stays that was before; what the other functions tell came after it."""
    return [str(event.user_id) for event in events if isinstance(event, UserErased)]


def people(events: Iterable[AnyEvent]) -> dict[str, dict[str, str | None]]:
    """User -> what is known of them after these events."""
    found: dict[str, dict[str, str | None]] = {}
    for event in events:
        match event:
            case UserRegistered(user_id=user, username=username):
                found.setdefault(str(user), {})["username"] = username
            case PreferencesChanged(user_id=user):
                told = Preferences(event.genres, event.public_activity, event.strategy)
                found.setdefault(str(user), {})["preferences"] = _encode(told).decode()
            case UserErased(user_id=user):
                found.pop(str(user), None)
            case _:  # not about who someone is
                continue
    return found


class Preferences(msgspec.Struct, frozen=True):
    """What a user likes, and what others may see."""

    genres: tuple[str, ...] = ()
    public_activity: bool = False
    strategy: str | None = None


def packed(score: int, at: datetime) -> str:
    """A score and its time in a few bytes: ``score:milliseconds``."""
    return f"{score}:{milliseconds(at)}"


def unpacked(movie: int, rating: bytes) -> Rating:
    """The rating that was packed."""
    score, _, at = rating.partition(b":")
    return Rating(movie, int(score), moment(at))


def milliseconds(at: datetime) -> str:
    """A time in a few bytes."""
    return str(round(at.timestamp() * 1000))


def moment(at: bytes) -> datetime:
    """The time that was kept as milliseconds."""
    return datetime.fromtimestamp(int(at) / 1000, UTC)


def _changes(batch: Sequence[Recorded]) -> Iterator[Change | Erased]:
    for recorded in batch:
        match recorded.event:
            case MovieRated(user_id=user, movie_id=movie, score=score):
                yield Change("ratings", str(user), movie, packed(score, recorded.occurred_at))
            case RatingWithdrawn(user_id=user, movie_id=movie):
                yield Change("ratings", str(user), movie, None)
            case MovieFavourited(user_id=user, movie_id=movie):
                yield Change("favourites", str(user), movie, milliseconds(recorded.occurred_at))
            case MovieUnfavourited(user_id=user, movie_id=movie):
                yield Change("favourites", str(user), movie, None)
            case MovieHidden(user_id=user, movie_id=movie):
                yield Change("hidden", str(user), movie, milliseconds(recorded.occurred_at))
            case MovieUnhidden(user_id=user, movie_id=movie):
                yield Change("hidden", str(user), movie, None)
            case UserErased(user_id=user):
                yield Erased(str(user))
            case _:  # not about a user's movies
                continue
