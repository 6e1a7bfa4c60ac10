"""Watermark: the latest moment whose log a read model is known to have applied in full.

Under steady traffic a model never reaches the heads of this moment. But once it has applied all
that the log held at an earlier moment, its answers are no older than that moment.
"""

from collections import deque
from collections.abc import Sequence


class Watermark:
    """The heads of the log at several moments, until a model has reached them."""

    def __init__(self) -> None:
        self._open: deque[tuple[float, Sequence[int]]] = deque(maxlen=600)

    def observe(self, at: float, heads: Sequence[int]) -> None:
        """Add the heads of the log at a moment (Unix time)."""
        self._open.append((at, heads))

    def reached(self, offsets: Sequence[int]) -> float | None:
        """The latest moment whose heads the offsets have reached; None if there is no newer one."""
        reached = None
        while self._open and _covers(offsets, self._open[0][1]):
            reached = self._open.popleft()[0]
        return reached


def _covers(offsets: Sequence[int], heads: Sequence[int]) -> bool:
    return all(at >= head for at, head in zip(offsets, heads, strict=True))
