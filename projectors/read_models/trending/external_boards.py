"""External boards: other sources' trending lists as boards of ours.

A source gives only an order, so the first movie gets 100 degrees, and heat falls evenly from there.
It does not decay with time: ``as_of`` says how old a board is.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from redis.client import Pipeline

from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.board import MovieHeat, TrendingBoard, by_genre
from projectors.read_models.trending.page import paginate, render
from projectors.read_models.trending.projection import BoardObservation
from projectors.read_models.trending.read_model import Trending, board_name
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.verification.derived import Differences, unequal

_HOTTEST = 100.0
_DIGITS = 6

_pack = msgspec.msgpack.Encoder().encode


class ExternalBoard(NamedTuple):
    """A board of another source, and what its page needs."""

    observation: BoardObservation
    genre: str | None
    board: TrendingBoard

    @property
    def first(self) -> Sequence[int]:
        """Movies of its first page."""
        return [entry.movie for entry in self.board.entries[:DEFAULT_LIMIT]]

    def page(self, cards: Mapping[int, bytes]) -> bytes:
        window, source = self.observation.window, self.observation.source
        chosen = paginate(self.board, window, self.genre, limit=DEFAULT_LIMIT, source=source)
        return render(self.board, chosen, cards)


class ExternalBoardBuilder:
    """Keeps the boards of other sources and their first pages."""

    def __init__(self, trending: Trending, movies: Movies) -> None:
        self._trending = trending
        self._movies = movies
        self._seen: dict[str, BoardObservation] = {}
        self._shown: dict[str, ExternalBoard] = {}

    def build(self, pipe: Pipeline, touched: frozenset[int], *, is_all: bool) -> None:
        """Write all boards if an observation changed, else the pages that show touched movies."""
        observations = self._trending.observations()
        if is_all or observations != self._seen:
            self._shown = self._boards(observations)
            self._write(pipe, self._shown, is_all=True)
            self._seen = observations
        else:
            shown = {n: b for n, b in self._shown.items() if not touched.isdisjoint(b.first)}
            self._write(pipe, shown, is_all=False)

    def differences(self) -> Differences:
        """Boards and pages that would differ if rebuilt now."""
        shown = self._boards(self._trending.observations())
        stored, stored_pages = self._trending.observed_boards_and_pages()
        cards = self._cards(shown.values())
        boards = {name: board.board for name, board in shown.items()}
        pages = {name: board.page(cards) for name, board in shown.items()}
        stored_pages = {name: page for name, page in stored_pages.items() if name in pages}
        return {
            f"the board {name} differs from the last observation": both
            for name, both in unequal(stored, boards).items()
        } | {
            f"the first page of {name} differs from its board": both
            for name, both in unequal(stored_pages, pages).items()
        }

    def _boards(self, observations: Mapping[str, BoardObservation]) -> dict[str, ExternalBoard]:
        boards: dict[str, ExternalBoard] = {}
        for observation in observations.values():
            ranking = _ranking(observation.movies)
            genres = self._movies.genres_of(observation.movies)
            for genre, entries in by_genre(ranking, genres).items():
                board = TrendingBoard(hour=0, as_of=observation.at, entries=entries)
                boards[board_name(observation.window, genre, observation.source)] = ExternalBoard(
                    observation, genre or None, board
                )
        return boards

    def _write(self, pipe: Pipeline, boards: Mapping[str, ExternalBoard], *, is_all: bool) -> None:
        if not boards and not is_all:
            return
        cards = self._cards(boards.values())
        trending = self._trending
        if is_all:
            pipe.delete(trending.observed_boards_key, trending.observed_pages_key)
        for name, shown in boards.items():
            pipe.hset(trending.observed_boards_key, name, _pack(shown.board))
            pipe.hset(trending.observed_pages_key, name, shown.page(cards))

    def _cards(self, boards: Iterable[ExternalBoard]) -> Mapping[int, bytes]:
        return self._movies.cards(sorted({movie for shown in boards for movie in shown.first}))


def _ranking(movies: Sequence[int]) -> list[MovieHeat]:
    step = _HOTTEST / max(len(movies), 1)
    return [
        MovieHeat(movie, round(_HOTTEST - rank * step, _DIGITS))
        for rank, movie in enumerate(movies)
    ]
