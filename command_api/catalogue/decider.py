"""Decider of movies: add, describe, link, detail, withdraw, restore."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, TypeAlias

import msgspec

from events.catalogue import (
    Credit,
    MovieAdded,
    MovieDescribed,
    MovieDetailed,
    MovieEvent,
    MovieLinked,
    MovieRestored,
    MovieWithdrawn,
)
from events.recorded import Stream
from infra.errors import Invalid, NotFound

LONGEST_REASON = 500
WITHDRAWN = "This movie was withdrawn."
NO_NEW_OPINIONS = f"{WITHDRAWN} It takes no new ratings, favourites or playlist entries."

ExternalId: TypeAlias = tuple[str, str]  # source and value


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieFacts:
    """A movie's card as a source has it.

    Without an overview, poster, directors or prominence, the present ones stay.
    """

    title: str
    year: int | None
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    overview: str | None = None
    poster_url: str | None = None
    directors: tuple[str, ...] = ()
    prominence: int | None = None
    """How well known it is elsewhere, 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieDetails:
    """What a source knows beyond the card; titles are pairs of language and title."""

    original_title: str | None = None
    original_language: str | None = None
    released_on: date | None = None
    runtime_minutes: int | None = None
    crew: tuple[Credit, ...] = ()
    keywords: tuple[str, ...] = ()
    titles: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class AddMovie:
    """Add a movie, or describe and link it if the catalogue has it."""

    movie_id: int
    facts: MovieFacts
    external_ids: tuple[ExternalId, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkMovie:
    movie_id: int
    source: str
    external_id: str


@dataclass(frozen=True, slots=True)
class DetailMovie:
    movie_id: int
    details: MovieDetails


@dataclass(frozen=True, slots=True)
class WithdrawMovie:
    """Hide a movie from everyone and refuse new opinions of it."""

    movie_id: int
    reason: str
    """Kept in the log; about the movie, never about a person."""


@dataclass(frozen=True, slots=True)
class RestoreMovie:
    movie_id: int


MovieCommand: TypeAlias = AddMovie | LinkMovie | DetailMovie | WithdrawMovie | RestoreMovie


@dataclass(frozen=True, slots=True)
class MovieState:
    """State of one movie; ``facts`` is None when the catalogue lacks it."""

    facts: MovieFacts | None = None
    external_ids: frozenset[ExternalId] = field(default_factory=frozenset)
    details: MovieDetails = field(default_factory=MovieDetails)
    is_withdrawn: bool = False


def stream_of(movie_id: int) -> Stream:
    return Stream(f"movie-{movie_id}", str(movie_id))


def decide(command: MovieCommand, movie: MovieState) -> Sequence[MovieEvent]:
    """The events of a command; raises NotFound for a movie that was never added, or Invalid."""
    if movie.facts is None:
        if isinstance(command, AddMovie):
            return _added(command)
        raise NotFound("There is no such movie.")
    match command:
        case AddMovie(movie_id, facts, external_ids):
            return (
                *_described(movie_id, facts, movie.facts),
                *(event for link in external_ids for event in _linked(movie_id, link, movie)),
            )
        case LinkMovie(movie_id, source, external_id):
            return _linked(movie_id, (source, external_id), movie)
        case DetailMovie(movie_id, details):
            return _detailed(movie_id, details, movie)
        case WithdrawMovie(movie_id, reason):
            return _withdrawn(movie_id, reason, movie)
        case RestoreMovie(movie_id):
            return (MovieRestored(movie_id=movie_id),) if movie.is_withdrawn else ()


def evolve(movie: MovieState, event: MovieEvent) -> MovieState:
    match event:
        case MovieAdded():
            return MovieState(_facts(event), frozenset(event.external_ids.items()))
        case MovieDescribed():
            return replace(movie, facts=_facts(event))
        case MovieLinked(source=source, external_id=external_id):
            return replace(movie, external_ids=movie.external_ids | {(source, external_id)})
        case MovieDetailed():
            return replace(movie, details=_details(event))
        case MovieWithdrawn():
            return replace(movie, is_withdrawn=True)
        case MovieRestored():
            return replace(movie, is_withdrawn=False)


def _added(command: AddMovie) -> tuple[MovieEvent, ...]:
    movie_id, external_ids = command.movie_id, command.external_ids
    # The event holds one id of each source, the first; the others are linked to the movie.
    first = dict(reversed(external_ids))
    added = MovieAdded(movie_id=movie_id, external_ids=first, **_fields(command.facts))
    movie = evolve(MovieState(), added)
    return added, *(event for link in external_ids for event in _linked(movie_id, link, movie))


def _described(movie_id: int, facts: MovieFacts, current: MovieFacts) -> Sequence[MovieDescribed]:
    described = replace(
        facts,
        overview=facts.overview or current.overview,
        poster_url=facts.poster_url or current.poster_url,
        directors=facts.directors or current.directors,
        prominence=current.prominence if facts.prominence is None else facts.prominence,
    )
    if described == current:
        return ()
    return (MovieDescribed(movie_id=movie_id, **_fields(described)),)


def _fields(facts: MovieFacts) -> dict[str, Any]:
    # Not asdict, which copies every name of the cast: 33 us of the 46 of an added movie.
    return {each.name: getattr(facts, each.name) for each in fields(facts)}


def _linked(movie_id: int, link: ExternalId, movie: MovieState) -> Sequence[MovieLinked]:
    if link in movie.external_ids:
        return ()
    return (MovieLinked(movie_id=movie_id, source=link[0], external_id=link[1]),)


def _detailed(movie_id: int, details: MovieDetails, movie: MovieState) -> Sequence[MovieDetailed]:
    if details == movie.details:
        return ()
    return (
        MovieDetailed(
            movie_id=movie_id,
            original_title=details.original_title,
            original_language=details.original_language,
            released_on=details.released_on,
            runtime_minutes=details.runtime_minutes,
            crew=details.crew,
            keywords=details.keywords,
            titles=dict(sorted(details.titles)),
        ),
    )


def _withdrawn(movie_id: int, reason: str, movie: MovieState) -> Sequence[MovieWithdrawn]:
    if not 1 <= len(reason.strip()) <= LONGEST_REASON:
        reason_error = f"A reason has 1 to {LONGEST_REASON} characters."
        raise Invalid("The movie can't be withdrawn.", errors=[("reason", reason_error)])
    if movie.is_withdrawn:
        return ()
    return (MovieWithdrawn(movie_id=movie_id, reason=reason.strip()),)


def _details(event: MovieDetailed) -> MovieDetails:
    return MovieDetails(
        original_title=event.original_title,
        original_language=event.original_language,
        released_on=event.released_on,
        runtime_minutes=event.runtime_minutes,
        crew=event.crew,
        keywords=event.keywords,
        titles=frozenset(event.titles.items()),
    )


def _facts(event: MovieAdded | MovieDescribed) -> MovieFacts:
    return msgspec.convert(event, MovieFacts, from_attributes=True)
