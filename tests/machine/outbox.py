"""In-memory outbox for the state machine."""

from collections.abc import Mapping

from events.recorded import Stored
from events.relay.outbox import LeadershipLost, Outbox
from tests.fixtures.memory_store import MemoryStore


class MemoryOutbox(Outbox):
    """Outbox over a MemoryStore; every request for leadership succeeds."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._store = store
        self._cursors = [0] * store.partitions
        self._epoch = 0

    def acquire_leadership(self) -> int:
        """See Outbox."""
        self._epoch += 1
        return self._epoch

    def cursors(self) -> list[int]:
        """See Outbox."""
        return list(self._cursors)

    def unsent(self, after: Mapping[int, int], *, limit: int) -> list[Stored]:
        """See Outbox."""
        return [
            stored
            for partition, offset in sorted(after.items())
            for stored in self._store.page_stored(partition, after=offset, limit=limit)
        ]

    def save_cursors(self, epoch: int, cursors: Mapping[int, int]) -> None:
        """See Outbox."""
        self.check_epoch(epoch)
        for partition, cursor in cursors.items():
            self._cursors[partition] = max(cursor, self._cursors[partition])

    def check_epoch(self, epoch: int) -> None:
        """See Outbox."""
        if epoch != self._epoch:
            raise LeadershipLost

    def backlog(self) -> int:
        """See Outbox."""
        return sum(self._store.heads()) - sum(self._cursors)

    def close(self) -> None:
        """See Outbox."""
