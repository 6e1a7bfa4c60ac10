"""Reference fold of movies' facts and ratings."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from events.catalogue import (
    MovieAdded,
    MovieDescribed,
    MovieLinked,
    MovieRestored,
    MovieWithdrawn,
)
from events.recorded import Recorded
from tests.reference.opinions import opinions

SCORES = range(1, 11)


@dataclass(frozen=True)
class Facts:
    """A movie's facts from its sources."""

    title: str
    year: int | None
    genres: tuple[str, ...]
    cast: tuple[str, ...]
    overview: str | None
    poster_url: str | None
    directors: tuple[str, ...] = ()
    external_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Community:
    """All users' ratings of a movie: the number of each score from 1 to 10."""

    histogram: tuple[int, ...]

    @property
    def count(self) -> int:
        """The number of ratings."""
        return sum(self.histogram)

    @property
    def total(self) -> int:
        """The sum of the scores."""
        return sum(score * many for score, many in zip(SCORES, self.histogram, strict=True))


NOBODY = Community((0,) * len(SCORES))


def facts(history: Iterable[Recorded]) -> dict[int, Facts]:
    """The movies of the catalogue that are not withdrawn, as last described."""
    movies: dict[int, Facts] = {}
    withdrawn: set[int] = set()
    for recorded in history:
        match recorded.event:
            case MovieAdded() as event:
                movies[event.movie_id] = _facts(event, dict(event.external_ids))
            case MovieDescribed() as event:
                movies[event.movie_id] = _facts(event, movies[event.movie_id].external_ids)
            case MovieLinked(movie_id=movie, source=source, external_id=external_id):
                external_ids = movies[movie].external_ids
                movies[movie] = replace(
                    movies[movie], external_ids={**external_ids, source: external_id}
                )
            case MovieWithdrawn(movie_id=movie):
                withdrawn.add(movie)
            case MovieRestored(movie_id=movie):
                withdrawn.remove(movie)
            case _:
                continue
    return {movie: details for movie, details in movies.items() if movie not in withdrawn}


def community(history: Iterable[Recorded]) -> dict[int, Community]:
    """The ratings of every rated movie, in the catalogue or not."""
    scores: dict[int, list[int]] = {}
    for (_, movie), opinion in opinions(history).items():
        scores.setdefault(movie, []).append(opinion.score)
    return {
        movie: Community(tuple(given_scores.count(score) for score in SCORES))
        for movie, given_scores in scores.items()
    }


def _facts(event: MovieAdded | MovieDescribed, external_ids: dict[str, str]) -> Facts:
    return Facts(
        title=event.title,
        year=event.year,
        genres=event.genres,
        cast=event.cast,
        overview=event.overview,
        poster_url=event.poster_url,
        directors=event.directors,
        external_ids=external_ids,
    )
