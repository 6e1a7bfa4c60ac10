"""What is there to recommend now, and how does it look?

Movies of the week's boards, of those that most people ever rated, and the newest of each genre;
with their cards, as they were when first looked at. It is good for a second or so.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from projectors.movies.read_model import Movies
from projectors.recommendations.candidates import Candidates, Known
from projectors.trending.read_model import Trending

_POPULAR = 3000
_NEWEST_OF_GENRE = 50


class Market:
    """Candidates and all that is to be known about movies, as of ``made_at``."""

    def __init__(self, trending: Trending, movies: Movies, made_at: datetime) -> None:
        self.made_at = made_at
        self._movies = movies
        self._cards: dict[int, bytes] = {}
        heats = _heats(trending)
        people = dict(trending.most_rated(_POPULAR))
        self._genres: dict[int, Sequence[str]] = {}
        known = self._know({*heats, *people, *_newest(movies)})
        self.candidates = Candidates(known, heats=heats, people=people, year=made_at.year)

    def genres_of(self, movies: Iterable[int]) -> Mapping[int, Sequence[str]]:
        """The genres of these movies, and of others."""
        missing = [movie for movie in movies if movie not in self._genres]
        if missing:
            self._genres |= self._movies.genres_of(missing)
        return self._genres

    def cards_of(self, movies: Iterable[int]) -> Mapping[int, bytes]:
        """The cards of these movies, and of others."""
        missing = [movie for movie in movies if movie not in self._cards]
        if missing:
            self._cards |= self._movies.cards(missing)
        return self._cards

    def _know(self, movies: Iterable[int]) -> dict[int, Known]:
        facts = self._movies.facts_of(sorted(movies))
        self._genres |= {movie: known.genres for movie, known in facts.items()}
        return {movie: Known(known.year, known.genres) for movie, known in facts.items()}


def _heats(trending: Trending) -> dict[int, float]:
    return {
        entry.movie: entry.heat
        for name, board in trending.boards().items()
        if name.startswith("week|")
        for entry in board.entries
    }


def _newest(movies: Movies) -> set[int]:
    return {
        movie
        for genre, newest in movies.newest().items()
        for movie in (newest[:_NEWEST_OF_GENRE] if genre else newest)
    }
