"""What can happen to a movie of the catalogue?"""

from datetime import date
from typing import TypeAlias

import msgspec

from events.event import Event


class Credit(msgspec.Struct, frozen=True):
    """Someone who made a movie, and as what."""

    name: str
    job: str


class MovieAdded(Event, frozen=True, kw_only=True, tag="movie-added.v1"):
    """A movie came into the catalogue. Genres are names of our table; cast in order of billing."""

    movie_id: int
    title: str
    year: int | None
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    external_ids: dict[str, str] = {}
    overview: str | None = None
    poster_url: str | None = None


class MovieDescribed(Event, frozen=True, kw_only=True, tag="movie-described.v1"):
    """What a source says of a movie changed; the event carries all of it, as it is now."""

    movie_id: int
    title: str
    year: int | None
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    overview: str | None = None
    poster_url: str | None = None


class MovieLinked(Event, frozen=True, kw_only=True, tag="movie-linked.v1"):
    """A movie was recognised in another source: one more external id."""

    movie_id: int
    source: str
    external_id: str


class MovieDetailed(Event, frozen=True, kw_only=True, tag="movie-detailed.v1"):
    """What a source says of a movie beyond its card; the event carries all of it, as it is now."""

    movie_id: int
    original_title: str | None = None
    original_language: str | None = None
    released_on: date | None = None
    runtime_minutes: int | None = None
    crew: tuple[Credit, ...] = ()
    keywords: tuple[str, ...] = ()
    titles: dict[str, str] = {}
    """By language (ISO 639-1)."""


class MovieWithdrawn(Event, frozen=True, kw_only=True, tag="movie-withdrawn.v1"):
    """A movie is shown no more, and nobody may have a new opinion of it. Old ones are kept."""

    movie_id: int
    reason: str
    """For whoever wonders why; about the movie, never about a person."""


class MovieRestored(Event, frozen=True, kw_only=True, tag="movie-restored.v1"):
    """A movie that was withdrawn is shown again, with all that was thought of it."""

    movie_id: int


MovieEvent: TypeAlias = (
    MovieAdded | MovieDescribed | MovieLinked | MovieDetailed | MovieWithdrawn | MovieRestored
)
