"""Which rank puts a movie between two others?

Ranks are far apart, so there is nearly always a number in between. Where there is none (after some
20 insertions at the very same place), a stretch around it is spread out: the smallest that has
room. The longer it is the more it must have, or the next insertions would soon spread it again.
"""

from collections.abc import Sequence
from typing import NamedTuple

FAR = 2**24
"""Between the last rank and a new last one. Half a billion of them stay below 2^53, which is where
sorted sets of Redis begin to round."""
ROOM = 2**12
"""Between two of a spread stretch of eight; twice that in one of sixteen, and so on."""


class Placed(NamedTuple):
    """The rank for the new one; and new ranks of others, by their place.

    They come in an order in which no two of the others ever change places on the way.
    """

    rank: int
    moved: Sequence[tuple[int, int]] = ()


def place(ranks: Sequence[int], at: int) -> Placed:
    """Room at a place (0..len) of what is in the order of these ranks."""
    if not ranks:
        return Placed(0)
    if at == 0:
        return Placed(ranks[0] - FAR)
    if at == len(ranks):
        return Placed(ranks[-1] + FAR)
    before, behind = ranks[at - 1], ranks[at]
    if behind - before > 1:
        return Placed((before + behind) // 2)
    return _spread(ranks, at)


def _spread(ranks: Sequence[int], at: int) -> Placed:
    half, room = 4, ROOM
    while True:
        first, last = max(0, at - half), min(len(ranks), at + half)
        # Beyond an end there is always as much as is wanted.
        lowest = ranks[first - 1] if first else ranks[0] - 2 * half * room
        highest = ranks[last] if last < len(ranks) else ranks[-1] + 2 * half * room
        step = (highest - lowest) // (last - first + 2)
        if step >= room:
            break
        half, room = 2 * half, 2 * room
    spread = [lowest + step * nth for nth in range(1, last - first + 2)]
    rank = spread.pop(at - first)
    return Placed(rank, _changes(ranks[first:last], spread, first))


def _changes(before: Sequence[int], after: Sequence[int], first: int) -> list[tuple[int, int]]:
    """Those that go up from the last one on, then those that go down from the first one on."""
    pairs = list(enumerate(zip(before, after, strict=True), start=first))
    up = [(nth, new) for nth, (old, new) in reversed(pairs) if new > old]
    down = [(nth, new) for nth, (old, new) in pairs if new < old]
    return up + down
