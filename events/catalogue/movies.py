"""Events of movies."""

from datetime import date
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from events.event import Event

Prominence: TypeAlias = Annotated[
    int,
    Meta(ge=0, le=100, description="How well known elsewhere; orders movies that nobody rated."),
]


class Credit(msgspec.Struct, frozen=True):
    """A member of a movie's crew, and their job."""

    name: str
    job: str


class MovieAdded(Event, frozen=True, kw_only=True, tag="movie-added.v1"):
    """A movie was added. Genres are names of our table; the cast is in order of billing."""

    movie_id: int
    title: str
    year: int | None
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    external_ids: dict[str, str] = {}
    overview: str | None = None
    poster_url: str | None = None
    directors: tuple[str, ...] = ()
    prominence: Prominence | None = None


class MovieDescribed(Event, frozen=True, kw_only=True, tag="movie-described.v1"):
    """A movie's description changed; the event carries all of it."""

    movie_id: int
    title: str
    year: int | None
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    overview: str | None = None
    poster_url: str | None = None
    directors: tuple[str, ...] = ()
    prominence: Prominence | None = None


class MovieLinked(Event, frozen=True, kw_only=True, tag="movie-linked.v1"):
    """A movie was found in another source and got its external id."""

    movie_id: int
    source: str
    external_id: str


class MovieDetailed(Event, frozen=True, kw_only=True, tag="movie-detailed.v1"):
    """A movie's details beyond its card changed; the event carries all of them."""

    movie_id: int
    original_title: str | None = None
    original_language: str | None = None
    released_on: date | None = None
    runtime_minutes: int | None = None
    crew: tuple[Credit, ...] = ()
    keywords: tuple[str, ...] = ()
    titles: Annotated[dict[str, str], Meta(description="By language (ISO 639-1).")] = {}


class MovieWithdrawn(Event, frozen=True, kw_only=True, tag="movie-withdrawn.v1"):
    """A movie is withdrawn: not shown, and not open to new ratings. Old ratings are kept."""

    movie_id: int
    reason: Annotated[str, Meta(description="Why; about the movie, never about a person.")]


class MovieRestored(Event, frozen=True, kw_only=True, tag="movie-restored.v1"):
    """A withdrawn movie is shown again, with its ratings."""

    movie_id: int


MovieEvent: TypeAlias = (
    MovieAdded | MovieDescribed | MovieLinked | MovieDetailed | MovieWithdrawn | MovieRestored
)
