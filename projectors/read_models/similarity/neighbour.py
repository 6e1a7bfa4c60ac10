"""Neighbour of a movie, and merging changed neighbours into a list."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Neighbour(NamedTuple):
    """A similar movie, its score, and its support."""

    movie: int
    score: float
    support: int
    """How many people liked both."""

    @property
    def order(self) -> tuple[float, int]:
        """Sort key: most similar first, then by id."""
        return -self.score, self.movie


def merge_neighbours(
    before: Sequence[Neighbour], changed: Mapping[int, Neighbour], limit: int
) -> list[Neighbour] | None:
    """Merge changed neighbours into a list; None if one from outside may enter."""
    merged = [neighbour for neighbour in before if neighbour.movie not in changed]
    merged += (neighbour for neighbour in changed.values() if neighbour.score > 0)
    after = sorted(merged, key=lambda neighbour: neighbour.order)[:limit]
    if len(before) < limit:
        return after
    if len(after) < limit or after[-1].order > before[-1].order:
        return None
    return after
