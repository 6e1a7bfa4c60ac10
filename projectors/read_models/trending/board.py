"""Which movies are the hottest, and which come behind a given one?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from projectors.storage.pagination import CursorPosition

OVERALL = 500
"""How many movies a board of all genres holds."""
BY_GENRE = 200
"""How many the board of one genre holds."""

# Two heats that far apart are one: they went different ways through rounding.
_SAME = 2e-6


class MovieHeat(NamedTuple):
    """A movie and how hot it is."""

    movie: int
    heat: float


class TrendingBoard(msgspec.Struct, frozen=True, array_like=True):
    """The hottest movies of a window, hottest first, as they were in an hour."""

    hour: int
    as_of: datetime
    entries: tuple[MovieHeat, ...] = ()

    def after(self, place: CursorPosition | None) -> Sequence[MovieHeat]:
        """What comes behind a place, from the top if there is none."""
        if place is None:
            return self.entries
        return [entry for entry in self.entries if _is_behind(entry, place)]


def ranked(heats: Mapping[int, float]) -> list[MovieHeat]:
    """Hottest first; of equally hot ones the lower id. What has no heat is left out."""
    hot = ((-heat, movie) for movie, heat in heats.items() if heat > 0)
    return [MovieHeat(movie, -cold) for cold, movie in sorted(hot)]


def by_genre(
    ranking: Sequence[MovieHeat], genres: Mapping[int, Sequence[str]]
) -> dict[str, tuple[MovieHeat, ...]]:
    """The top of a ranking for each genre, and under "" for all; movies unknown are left out."""
    boards: dict[str, list[MovieHeat]] = {"": []}
    for entry in ranking:
        if (found := genres.get(entry.movie)) is None:
            continue
        if len(boards[""]) < OVERALL:
            boards[""].append(entry)
        for genre in found:
            board = boards.setdefault(genre, [])
            if len(board) < BY_GENRE:
                board.append(entry)
    return {genre: tuple(board) for genre, board in boards.items()}


def _is_behind(entry: MovieHeat, place: CursorPosition) -> bool:
    if abs(entry.heat - place.value) <= _SAME:
        return entry.movie > place.movie
    return entry.heat < place.value
