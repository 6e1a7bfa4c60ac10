"""Projection of movies: details, links, votes and availability that each event changes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from events.catalogue import (
    AnyEvent,
    MovieAdded,
    MovieDescribed,
    MovieLinked,
    MovieRated,
    MovieRestored,
    MovieWithdrawn,
    RatingWithdrawn,
)


class CardDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A movie's details, in the shape that the API shows."""

    id: int
    title: str
    year: int | None
    genres: tuple[str, ...]
    cast: tuple[str, ...]
    overview: str | None = None
    poster_url: str | None = None
    directors: tuple[str, ...] = ()


class MovieChange(msgspec.Struct, kw_only=True):
    """The sum of a batch's changes to one movie."""

    details: CardDetails | None = None
    prominence: int = 0
    """Of the last description; unknown is none."""
    links: dict[str, str] = msgspec.field(default_factory=dict)
    votes: defaultdict[int, int] = msgspec.field(default_factory=partial(defaultdict, int))
    """Score -> vote delta."""
    is_listed: bool | None = None
    """None: no event changed it."""


def movie_changes(events: Sequence[AnyEvent]) -> Mapping[int, MovieChange]:
    """Sum up one partition's events, in order, by movie."""
    changes: defaultdict[int, MovieChange] = defaultdict(MovieChange)
    for event in events:
        match event:
            case MovieRated(movie_id=movie, score=score, previous=previous):
                votes = changes[movie].votes
                if previous is not None:
                    votes[previous] -= 1
                votes[score] += 1
            case RatingWithdrawn(movie_id=movie, previous=previous):
                changes[movie].votes[previous] -= 1
            case MovieAdded():
                _describe(changes[event.movie_id], event)
                changes[event.movie_id].links.update(event.external_ids)
            case MovieDescribed():
                _describe(changes[event.movie_id], event)
            case MovieLinked(movie_id=movie, source=source, external_id=external_id):
                changes[movie].links[source] = external_id
            case MovieWithdrawn(movie_id=movie):
                changes[movie].is_listed = False
            case MovieRestored(movie_id=movie):
                changes[movie].is_listed = True
            case _:  # not about movies
                continue
    return changes


def _describe(change: MovieChange, event: MovieAdded | MovieDescribed) -> None:
    change.details, change.prominence = _details(event), event.prominence or 0


def _details(event: MovieAdded | MovieDescribed) -> CardDetails:
    return CardDetails(
        id=event.movie_id,
        title=event.title,
        year=event.year,
        genres=event.genres,
        cast=event.cast,
        overview=event.overview,
        poster_url=event.poster_url,
        directors=event.directors,
    )
