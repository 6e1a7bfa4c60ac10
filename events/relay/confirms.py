"""How far is each partition known to be on the bus?"""

from collections.abc import Mapping, Sequence

from events.recorded import Position


class Progress:
    """Confirms come in any order; the cursor is what is confirmed without a gap."""

    def __init__(self, cursors: Sequence[int]) -> None:
        self._taken = list(cursors)
        self._noted = list(cursors)
        # Dictionaries for their order: the first key is the first that is not confirmed.
        self._open: list[dict[int, None]] = [{} for _ in cursors]
        self._touched: set[int] = set()

    @property
    def taken(self) -> Sequence[int]:
        """The last offset of each partition that was taken from the log."""
        return self._taken

    def take(self, position: Position) -> None:
        """The next event of a partition is on its way."""
        partition, offset = position
        self._open[partition][offset] = None
        self._taken[partition] = offset

    def confirm(self, position: Position) -> None:
        """The broker has it."""
        partition, offset = position
        del self._open[partition][offset]
        self._touched.add(partition)

    def cursor(self, partition: int) -> int:
        """The last offset up to which everything is confirmed."""
        first = next(iter(self._open[partition]), None)
        return self._taken[partition] if first is None else first - 1

    def moved(self) -> Mapping[int, int]:
        """The cursors that moved since they were last noted."""
        now = {partition: self.cursor(partition) for partition in self._touched}
        return {
            partition: cursor
            for partition, cursor in now.items()
            if cursor > self._noted[partition]
        }

    def note(self, cursors: Mapping[int, int]) -> None:
        """These are written down."""
        for partition, cursor in cursors.items():
            self._noted[partition] = cursor
        self._touched.clear()
