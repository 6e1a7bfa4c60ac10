"""Since when is a read model known to have taken in the whole log?

Under steady traffic a model is never level with the head of this moment. But when it has taken in
all that the log held at some earlier moment, its answers are no older than that moment.
"""

from collections import deque
from collections.abc import Sequence


class Watermark:
    """The moments at which the log's heads were read, until a model has reached them."""

    def __init__(self) -> None:
        self._open: deque[tuple[float, Sequence[int]]] = deque(maxlen=600)

    def observe(self, at: float, heads: Sequence[int]) -> None:
        """Remember the heads of the log as they were at a moment (Unix time)."""
        self._open.append((at, heads))

    def reached(self, offsets: Sequence[int]) -> float | None:
        """The latest moment whose heads the offsets have reached, if that is news."""
        reached = None
        while self._open and _covers(offsets, self._open[0][1]):
            reached = self._open.popleft()[0]
        return reached


def _covers(offsets: Sequence[int], heads: Sequence[int]) -> bool:
    return all(at >= head for at, head in zip(offsets, heads, strict=True))
