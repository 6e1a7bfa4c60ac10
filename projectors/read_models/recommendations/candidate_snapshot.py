"""Candidate snapshot: the movies that may be recommended now, and what ranking reads of them.

Candidates are the movies of the week's boards, the most rated ever, and the newest and the most
prominent of each genre.
Cards, titles and neighbours are read on first use and kept. A snapshot serves for a second or so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from projectors.read_models.movies.read_model import MovieFeatures, Movies
from projectors.read_models.recommendations.candidates import Candidates, trend_scores
from projectors.read_models.recommendations.genre_affinity import TrendScore
from projectors.read_models.similarity.neighbour import Neighbour
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.trending.read_model import Trending
from projectors.storage import replies
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard

Value = TypeVar("Value")

_POPULAR = 3000
_OF_GENRE = 50
"""How many of the newest and of the most prominent movies of each genre."""


class CandidateSources(NamedTuple):
    """The read models that a snapshot is taken from."""

    trending: Trending
    movies: Movies
    similarity: Similarity

    @property
    def shards(self) -> Sequence[Shard]:
        """All shards; each model has one."""
        models: Iterable[ReadModel] = self
        return [model.shard(0) for model in models]

    def version(self) -> object:
        """A value that differs once a source was built or may have changed."""
        built = [replies.hgetall(self.movies.redis, shard.built_key) for shard in self.shards]
        return self.trending.board("week").as_of, self.movies.catalogue_version(), built


class CandidateSnapshot:
    """Candidates and movie data as of ``made_at``."""

    def __init__(self, sources: CandidateSources, made_at: datetime) -> None:
        self.made_at = made_at
        trending, movies, self._similarity = sources
        self._movies = movies
        self._cards: dict[int, bytes] = {}
        self._titles: dict[int, str] = {}
        self._outside: dict[int, tuple[MovieFeatures, TrendScore]] = {}
        self._neighbours: dict[int, Sequence[Neighbour]] = {}
        heats = _heats(trending)
        rating_counts = dict(trending.most_rated(_POPULAR))
        self._genres: dict[int, Sequence[str]] = {}
        self.withdrawn = movies.withdrawn()
        """Movies that no list may have."""
        unrated = {*_some(movies.newest()), *_some(movies.prominent())}
        known = self._know({*heats, *rating_counts, *unrated})
        self.candidates = Candidates(
            known, heats=heats, rating_counts=rating_counts, year=made_at.year
        )

    def genres_of(self, movies: Iterable[int]) -> Mapping[int, Sequence[str]]:
        """Genres of these movies, and of others."""
        return _completed(self._genres, movies, self._movies.genres_of)

    def cards_of(self, movies: Iterable[int]) -> Mapping[int, bytes]:
        """Cards of these movies, and of others."""
        return _completed(self._cards, movies, self._movies.cards)

    def titles_of(self, movies: Iterable[int]) -> Mapping[int, str]:
        """Titles of these movies, and of others."""
        return _completed(self._titles, movies, self._movies.titles_of)

    def neighbours_of(self, movies: Iterable[int]) -> Mapping[int, Sequence[Neighbour]]:
        """Neighbours of these movies, and of others."""
        return _completed(self._neighbours, movies, self._neighbours_or_none)

    def outside(self, movies: Iterable[int]) -> dict[int, tuple[MovieFeatures, TrendScore]]:
        """Features and trend scores of movies that are no candidates; their heat is 0."""
        requested = list(movies)
        if missing := [movie for movie in requested if movie not in self._outside]:
            known = self._know(missing)
            scores = trend_scores(known, heats={}, rating_counts={}, year=self.made_at.year)
            self._outside |= {movie: (facts, scores[movie]) for movie, facts in known.items()}
        return {movie: self._outside[movie] for movie in requested if movie in self._outside}

    def _neighbours_or_none(self, movies: Sequence[int]) -> dict[int, Sequence[Neighbour]]:
        neighbours = self._similarity.neighbours_of(movies)
        return {movie: neighbours.get(movie, ()) for movie in movies}

    def _know(self, movies: Iterable[int]) -> dict[int, MovieFeatures]:
        facts = self._movies.features_of(sorted(movies))
        self._genres |= {movie: known.genres for movie, known in facts.items()}
        return facts


def _completed(
    known: dict[int, Value],
    movies: Iterable[int],
    read: Callable[[Sequence[int]], Mapping[int, Value]],
) -> Mapping[int, Value]:
    if missing := [movie for movie in movies if movie not in known]:
        known |= read(missing)
    return known


def _heats(trending: Trending) -> dict[int, float]:
    return {
        entry.movie: entry.heat
        for name, board in trending.boards().items()
        if name.startswith("week|")
        for entry in board.entries
    }


def _some(lists: Mapping[str, Sequence[int]]) -> set[int]:
    """The first movies of each genre, and all that the list of the whole catalogue has."""
    return {
        movie
        for genre, listed in lists.items()
        for movie in (listed[:_OF_GENRE] if genre else listed)
    }
