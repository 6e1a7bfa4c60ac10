"""What is a movie to one that it is like?"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Neighbour(NamedTuple):
    """A movie, how much it is like the one it is a neighbour of, and who says so."""

    movie: int
    score: float
    support: int
    """How many people liked both."""

    @property
    def order(self) -> tuple[float, int]:
        """Where it stands in a list: the most alike first, then by id."""
        return -self.score, self.movie


def merge_neighbours(
    before: Sequence[Neighbour], changed: Mapping[int, Neighbour], limit: int
) -> list[Neighbour] | None:
    """A list in which some neighbours changed; None where those outside of it may come in."""
    kept = [neighbour for neighbour in before if neighbour.movie not in changed]
    kept += (neighbour for neighbour in changed.values() if neighbour.score > 0)
    after = sorted(kept, key=lambda neighbour: neighbour.order)[:limit]
    if len(before) < limit:
        return after
    if len(after) < limit or after[-1].order > before[-1].order:
        return None
    return after
