"""Publisher confirms per partition: how far everything is confirmed without a gap."""

from collections.abc import Mapping, Sequence

from events.recorded import Position


class ConfirmTracker:
    """Confirms come in any order; a cursor passes only what is confirmed without a gap."""

    def __init__(self, cursors: Sequence[int]) -> None:
        self.read_offsets = list(cursors)
        """The last offset of each partition that was read from the log."""
        self._saved = list(cursors)
        # Dictionaries for their order: the first key is the first that is not confirmed.
        self._unconfirmed: list[dict[int, None]] = [{} for _ in cursors]
        self._touched: set[int] = set()

    def track(self, position: Position) -> None:
        """Await the confirm of a partition's next event."""
        partition, offset = position
        self._unconfirmed[partition][offset] = None
        self.read_offsets[partition] = offset

    def confirm(self, position: Position) -> None:
        """Note that the broker has the event."""
        partition, offset = position
        del self._unconfirmed[partition][offset]
        self._touched.add(partition)

    def cursor(self, partition: int) -> int:
        """The last offset up to which everything is confirmed."""
        first = next(iter(self._unconfirmed[partition]), None)
        return self.read_offsets[partition] if first is None else first - 1

    def unsaved_cursors(self) -> Mapping[int, int]:
        """The cursors that moved since they were last saved."""
        now = {partition: self.cursor(partition) for partition in self._touched}
        return {
            partition: cursor
            for partition, cursor in now.items()
            if cursor > self._saved[partition]
        }

    def mark_saved(self, cursors: Mapping[int, int]) -> None:
        """Note that these cursors are in the database."""
        for partition, cursor in cursors.items():
            self._saved[partition] = cursor
        self._touched.clear()
