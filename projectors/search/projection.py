"""What does each event mean for finding a movie, and what document does it add up to?"""

from collections.abc import Sequence
from typing import Any

import msgspec

from events.catalogue import AnyEvent, MovieAdded, MovieDescribed, MovieRated, RatingWithdrawn
from projectors.search.words import compounds, folded, in_one_word, without_article


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a movie can be found by."""

    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()


class Touch(msgspec.Struct, kw_only=True):
    """What some events together change of one movie; ``events`` of them."""

    events: int = 0
    details: Details | None = None
    rated: bool = False
    votes: int = 0
    total: int = 0


def touches(events: Sequence[AnyEvent]) -> dict[int, Touch]:
    """What the events of one partition, in order, change of each movie that they are about."""
    found: dict[int, Touch] = {}
    for event in events:
        match event:
            case MovieAdded() | MovieDescribed():
                _touch(found, event.movie_id).details = _details(event)
            case MovieRated(movie_id=movie, score=score, previous=None):
                _vote(_touch(found, movie), votes=1, total=score)
            case MovieRated(movie_id=movie, score=score, previous=int(previous)):
                _vote(_touch(found, movie), votes=0, total=score - previous)
            case RatingWithdrawn(movie_id=movie, previous=previous):
                _vote(_touch(found, movie), votes=-1, total=-previous)
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


def document(movie: int, details: Details, *, votes: int, total: int) -> dict[str, Any]:
    """The document of the index that the state of a movie adds up to."""
    title = folded(details.title)
    return {
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
