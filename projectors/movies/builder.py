"""Which genres are there, and which movies of each are the newest?"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

import msgspec

from projectors.marks import Marks, note_built
from projectors.movies.read_model import Facts, GenreCount, Movies
from projectors.pace import Paced
from projectors.settled import compare

NEWEST = 200
"""How many of the newest movies are kept, of the whole catalogue and of each genre."""

_encode = msgspec.json.Encoder().encode


class MoviesBuilder(Paced):
    """Keeps the index by genre. Holds year and genres of every movie in memory (100 bytes each)."""

    name: ClassVar[str] = Movies.name
    interval_seconds = 60.0

    def __init__(self, movies: Movies) -> None:
        super().__init__(pause_seconds=0.1)
        self._movies = movies
        self._marks = Marks(movies.redis, movies.all, "movies")
        self._facts: dict[int, Facts] = {}

    def build(self, now: datetime) -> None:
        """See Builder."""
        with self.working():
            try:
                self._build()
            except BaseException:
                self._marks.forget()
                raise

    def check(self, now: datetime) -> list[str]:
        """What differs from the catalogue, a line each."""
        return compare(self._movies.redis, [self._movies.all], self._differences)

    def _build(self) -> None:
        taken = self._marks.take()
        [touched] = taken.touched
        if not taken.is_continued:
            self._facts = dict(self._movies.all_facts())
        self._facts |= self._movies.facts_of(sorted(touched))
        with self._movies.redis.pipeline(transaction=True) as pipe:
            if touched or not taken.is_continued:
                shard = self._movies.all
                pipe.set(shard.derived("genres"), _encode(count_by_genre(self._facts)))
                pipe.set(shard.derived("newest"), _encode(newest_by_genre(self._facts)))
            note_built(pipe, self._movies.all, taken.checkpoints)
            pipe.execute()

    def _differences(self) -> list[str]:
        facts = dict(self._movies.all_facts())
        problems = []
        if self._movies.genres() != count_by_genre(facts):
            problems.append("the counts by genre are not those of the catalogue")
        if self._movies.newest() != newest_by_genre(facts):
            problems.append("the newest movies by genre are not those of the catalogue")
        return problems


def count_by_genre(facts: Mapping[int, Facts]) -> list[GenreCount]:
    """Every genre with its number of movies, by name."""
    counts = Counter(genre for known in facts.values() for genre in known.genres)
    return [GenreCount(name, counts[name]) for name in sorted(counts)]


def newest_by_genre(facts: Mapping[int, Facts]) -> dict[str, list[int]]:
    """The newest movies by genre, and under "" of all; of one year, those known last come first."""
    ordered = _newest_first(facts)
    found: dict[str, list[int]] = {"": ordered[:NEWEST]}
    for movie in ordered:
        for genre in facts[movie].genres:
            kept = found.setdefault(genre, [])
            if len(kept) < NEWEST:
                kept.append(movie)
    return found


def _newest_first(facts: Mapping[int, Facts]) -> list[int]:
    return sorted(facts, key=lambda movie: (facts[movie].year or 0, movie), reverse=True)
