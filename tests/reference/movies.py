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
    """A movie's facts, as its sources have them."""

    title: str
    year: int | None
    genres: tuple[str, ...]
    cast: tuple[str, ...]
    overview: str | None
    poster_url: str | None
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
    found: dict[int, Facts] = {}
    withdrawn: set[int] = set()
    for recorded in history:
        match recorded.event:
            case MovieAdded() as said:
                found[said.movie_id] = _facts(said, dict(said.external_ids))
            case MovieDescribed() as said:
                found[said.movie_id] = _facts(said, found[said.movie_id].external_ids)
            case MovieLinked(movie_id=movie, source=source, external_id=external_id):
                known = found[movie].external_ids
                found[movie] = replace(found[movie], external_ids={**known, source: external_id})
            case MovieWithdrawn(movie_id=movie):
                withdrawn.add(movie)
            case MovieRestored(movie_id=movie):
                withdrawn.remove(movie)
            case _:
                continue
    return {movie: known for movie, known in found.items() if movie not in withdrawn}


def community(history: Iterable[Recorded]) -> dict[int, Community]:
    """The ratings of every rated movie, in the catalogue or not."""
    scores: dict[int, list[int]] = {}
    for (_, movie), opinion in opinions(history).items():
        scores.setdefault(movie, []).append(opinion.score)
    return {
        movie: Community(tuple(given.count(score) for score in SCORES))
        for movie, given in scores.items()
    }


def _facts(said: MovieAdded | MovieDescribed, external_ids: dict[str, str]) -> Facts:
    return Facts(
        title=said.title,
        year=said.year,
        genres=said.genres,
        cast=said.cast,
        overview=said.overview,
        poster_url=said.poster_url,
        external_ids=external_ids,
    )
