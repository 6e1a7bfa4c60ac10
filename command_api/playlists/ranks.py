"""Ranks: integers that order a playlist, so that an insertion changes few other movies.

Ranks are far apart, so there is nearly always a free one between two neighbours. Where there is
none (after some 20 insertions at the same index), the smallest stretch around it that has room is
spread out. A longer stretch must have more room, or the next insertions would soon spread it again.
"""

from collections.abc import Sequence
from typing import NamedTuple

FAR = 2**24
"""Distance of a new last rank from the last one. Half a billion of them stay below 2^53, where
sorted sets of Redis begin to round."""
ROOM = 2**12
"""Least distance within a spread stretch of eight; twice that in one of sixteen, and so on."""


class RankPlan(NamedTuple):
    """The inserted movie's rank, and the new ranks of others by index.

    Applied in this order, no two of the others ever swap on the way.
    """

    rank: int
    moved: Sequence[tuple[int, int]] = ()


def insert_rank(ranks: Sequence[int], at: int) -> RankPlan:
    """Make room at an index (0..len) in the sorted ranks."""
    if not ranks:
        return RankPlan(0)
    if at == 0:
        return RankPlan(ranks[0] - FAR)
    if at == len(ranks):
        return RankPlan(ranks[-1] + FAR)
    before, behind = ranks[at - 1], ranks[at]
    if behind - before > 1:
        return RankPlan((before + behind) // 2)
    return _spread(ranks, at)


def _spread(ranks: Sequence[int], at: int) -> RankPlan:
    half, room = 4, ROOM
    while True:
        first, last = max(0, at - half), min(len(ranks), at + half)
        # Beyond either end there is always enough room.
        lowest = ranks[first - 1] if first else ranks[0] - 2 * half * room
        highest = ranks[last] if last < len(ranks) else ranks[-1] + 2 * half * room
        step = (highest - lowest) // (last - first + 2)
        if step >= room:
            break
        half, room = 2 * half, 2 * room
    spread = [lowest + step * nth for nth in range(1, last - first + 2)]
    rank = spread.pop(at - first)
    return RankPlan(rank, _changes(ranks[first:last], spread, first))


def _changes(before: Sequence[int], after: Sequence[int], first: int) -> list[tuple[int, int]]:
    """Return the rising ranks from the last one on, then the falling ones from the first one on."""
    pairs = list(enumerate(zip(before, after, strict=True), start=first))
    up = [(nth, new) for nth, (old, new) in reversed(pairs) if new > old]
    down = [(nth, new) for nth, (old, new) in pairs if new < old]
    return up + down
