"""What does each event mean for finding a movie, and what document does it add up to?"""

from collections.abc import Sequence
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
    folded,
    in_one_word,
    without_article,
)


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a movie can be found by."""

    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()


class LongDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What sources say beyond a movie's card. Its document keeps it; nothing is found by it."""

    original_title: str | None = None
    original_language: str | None = None
    released_on: date | None = None
    runtime_minutes: int | None = None
    crew: tuple[Credit, ...]
    keywords: tuple[str, ...]
    titles: dict[str, str]


NO_DETAILS = LongDetails(crew=(), keywords=(), titles={})


class Touch(msgspec.Struct, kw_only=True):
    """What some events together change of one movie; ``events`` of them."""

    events: int = 0
    details: Details | None = None
    long: LongDetails | None = None
    rated: bool = False
    votes: int = 0
    total: int = 0
    is_listed: bool | None = None
    """Whether it is found now; None if no event was about that."""


def touches(events: Sequence[AnyEvent]) -> dict[int, Touch]:
    """What the events of one partition, in order, change of each movie that they are about."""
    found: dict[int, Touch] = {}
    for event in events:
        match event:
            case MovieAdded() | MovieDescribed():
                _touch(found, event.movie_id).details = _details(event)
            case MovieDetailed():
                _touch(found, event.movie_id).long = _long(event)
            case MovieRated(movie_id=movie, score=score, previous=None):
                _vote(_touch(found, movie), votes=1, total=score)
            case MovieRated(movie_id=movie, score=score, previous=int(previous)):
                _vote(_touch(found, movie), votes=0, total=score - previous)
            case RatingWithdrawn(movie_id=movie, previous=previous):
                _vote(_touch(found, movie), votes=-1, total=-previous)
            case MovieWithdrawn(movie_id=movie):
                _touch(found, movie).is_listed = False
            case MovieRestored(movie_id=movie):
                _touch(found, movie).is_listed = True
            case _:  # not about finding movies
                continue
    return found


def _touch(found: dict[int, Touch], movie: int) -> Touch:
    touch = found.setdefault(movie, Touch())
    touch.events += 1
    return touch


def _vote(touch: Touch, *, votes: int, total: int) -> None:
    touch.rated = True
    touch.votes += votes
    touch.total += total


def _details(event: MovieAdded | MovieDescribed) -> Details:
    return Details(title=event.title, year=event.year, genres=event.genres, cast=event.cast)


def _long(event: MovieDetailed) -> LongDetails:
    return LongDetails(
        original_title=event.original_title,
        original_language=event.original_language,
        released_on=event.released_on,
        runtime_minutes=event.runtime_minutes,
        crew=event.crew,
        keywords=event.keywords,
        titles=event.titles,
    )


def document(
    movie: int, details: Details, long: LongDetails | None = None, *, votes: int, total: int
) -> dict[str, Any]:
    """The document of the index that the state of a movie adds up to."""
    title = folded(details.title)
    kept = {} if long is None else {"details": _as_read(long)}
    return kept | {
        "id": movie,
        "title": details.title,
        "words": title,
        "exact": title,
        "bare": without_article(title),
        "whole": in_one_word(details.title),
        "compounds": compounds(details.title),
        "cast": [folded(name) for name in details.cast],
        "people": [folded(name) for name in details.cast],
        "genres": list(details.genres),
        "year": details.year,
        "votes": votes,
        "average": total / votes if votes > 0 else 0.0,
    }


def tombstone(movie: int) -> dict[str, Any]:
    """The document in the place of a movie's that is not to be found.

    Were there none, a flusher that was held up could put an older one there again.
    """
    return {"id": movie}


def _as_read(long: LongDetails) -> dict[str, Any]:
    """As an index gives it back, so that the two can be compared."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(long))
    return plain
