"""Projection of search: changes to a movie's state, and the document of a state."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from events.catalogue import (
    AnyEvent,
    Credit,
    MovieAdded,
    MovieDescribed,
    MovieDetailed,
    MovieRated,
    MovieRestored,
    MovieWithdrawn,
    RatingWithdrawn,
)
from projectors.read_models.search.text_normalisation import (
    compounds,
    fold,
    without_article,
    without_spaces,
)


class SearchableDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The details by which a movie is found."""

    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    prominence: int = 0


class ExtendedDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Details that the document stores, but that no search matches."""

    original_title: str | None = None
    original_language: str | None = None
    released_on: date | None = None
    runtime_minutes: int | None = None
    crew: tuple[Credit, ...]
    keywords: tuple[str, ...]
    titles: dict[str, str]


NO_EXTENDED_DETAILS = ExtendedDetails(crew=(), keywords=(), titles={})


class DocumentChange(msgspec.Struct, kw_only=True):
    """The sum of a batch's changes to one movie; ``events`` of them."""

    events: int = 0
    details: SearchableDetails | None = None
    long: ExtendedDetails | None = None
    rated: bool = False
    votes: int = 0
    total: int = 0
    is_listed: bool | None = None
    """None: no event changed it."""


def document_changes(events: Sequence[AnyEvent]) -> Mapping[int, DocumentChange]:
    """Sum up one partition's events, in order, by movie."""
    changes: defaultdict[int, DocumentChange] = defaultdict(DocumentChange)
    for event in events:
        match event:
            case MovieAdded(movie_id=movie) | MovieDescribed(movie_id=movie):
                changes[movie].details = _details(event)
            case MovieDetailed(movie_id=movie):
                changes[movie].long = _extended(event)
            case MovieRated(movie_id=movie, score=score, previous=None):
                _vote(changes[movie], votes=1, total=score)
            case MovieRated(movie_id=movie, score=score, previous=int(previous)):
                _vote(changes[movie], votes=0, total=score - previous)
            case RatingWithdrawn(movie_id=movie, previous=previous):
                _vote(changes[movie], votes=-1, total=-previous)
            case MovieWithdrawn(movie_id=movie):
                changes[movie].is_listed = False
            case MovieRestored(movie_id=movie):
                changes[movie].is_listed = True
            case _:  # not about search
                continue
        changes[movie].events += 1
    return changes


def _vote(change: DocumentChange, *, votes: int, total: int) -> None:
    change.rated = True
    change.votes += votes
    change.total += total


def _details(event: MovieAdded | MovieDescribed) -> SearchableDetails:
    return SearchableDetails(
        title=event.title,
        year=event.year,
        genres=event.genres,
        cast=event.cast,
        directors=event.directors,
        prominence=event.prominence or 0,
    )


def _extended(event: MovieDetailed) -> ExtendedDetails:
    fields = ExtendedDetails.__struct_fields__
    return ExtendedDetails(**{field: getattr(event, field) for field in fields})


def document(
    movie: int,
    details: SearchableDetails,
    long: ExtendedDetails | None = None,
    *,
    votes: int,
    total: int,
) -> dict[str, Any]:
    title = fold(details.title)
    people = [fold(name) for name in dict.fromkeys((*details.cast, *details.directors))]
    stored = {} if long is None else {"details": _as_stored(long)}
    return stored | {
        "id": movie,
        "title": details.title,
        "words": title,
        "exact": title,
        "bare": without_article(title),
        "whole": without_spaces(details.title),
        "compounds": compounds(details.title),
        "cast": people,
        "people": people,
        "genres": list(details.genres),
        "year": details.year,
        "votes": votes,
        "average": total / votes if votes > 0 else 0.0,
        "prominence": details.prominence,
    }


def tombstone(movie: int) -> dict[str, Any]:
    """The document in place of a withdrawn movie's.

    If it were deleted instead, a delayed flusher could restore an older revision.
    """
    return {"id": movie}


def _as_stored(long: ExtendedDetails) -> dict[str, Any]:
    """As an index returns it, for comparison."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(long))
    return plain
