"""Trending board: ranking, split by genre, and the entries after a cursor."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from projectors.storage.pagination import CursorPosition

OVERALL = 500
"""How many movies a board of all genres holds."""
BY_GENRE = 200
"""How many the board of one genre holds."""

# Heats this close are equal: they differ by rounding only.
_SAME = 2e-6


class MovieHeat(NamedTuple):
    movie: int
    heat: float


class TrendingBoard(msgspec.Struct, frozen=True, array_like=True):
    """The hottest movies of a window, hottest first, as of an hour."""

    hour: int
    as_of: datetime
    entries: tuple[MovieHeat, ...] = ()

    def after(self, position: CursorPosition | None) -> Sequence[MovieHeat]:
        """Entries after a cursor's position; all without one."""
        if position is None:
            return self.entries
        return [entry for entry in self.entries if _is_behind(entry, position)]


def ranked(heats: Mapping[int, float]) -> list[MovieHeat]:
    """Rank hottest first; ties by id. Movies without heat are left out."""
    hot = ((-heat, movie) for movie, heat in heats.items() if heat > 0)
    return [MovieHeat(movie, -cold) for cold, movie in sorted(hot)]


def by_genre(
    ranking: Sequence[MovieHeat], genres: Mapping[int, Sequence[str]]
) -> dict[str, tuple[MovieHeat, ...]]:
    """Top of a ranking by genre, and under "" of all; unknown movies are left out."""
    boards: dict[str, list[MovieHeat]] = {"": []}
    for entry in ranking:
        if (movie_genres := genres.get(entry.movie)) is None:
            continue
        if len(boards[""]) < OVERALL:
            boards[""].append(entry)
        for genre in movie_genres:
            board = boards.setdefault(genre, [])
            if len(board) < BY_GENRE:
                board.append(entry)
    return {genre: tuple(board) for genre, board in boards.items()}


def _is_behind(entry: MovieHeat, position: CursorPosition) -> bool:
    if abs(entry.heat - position.value) <= _SAME:
        return entry.movie > position.movie
    return entry.heat < position.value
