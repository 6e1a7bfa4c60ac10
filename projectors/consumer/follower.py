"""How does one read model take in the log, whatever way the events come?

A follower knows how far its model is. Given events of a partition it applies those that come next,
drops those it has, and reads from the log what is missing in between. Whether the events came from
the bus or from the log makes no difference to it. A fault of the world is waited out in place; an
event that can never be applied is set aside by the intake, and does not hold up the others.
"""

import logging
from collections.abc import Callable, Sequence
from time import monotonic

from django.db import close_old_connections

from events.recorded import Recorded
from events.store import EventStore
from infra.observability import count
from projectors.consumer.apply import BatchApplier
from projectors.errors import TRANSIENT_ERRORS, RetryLater, StopProjector
from projectors.storage.read_model import Decrypt, ReadModel, leave_encrypted
from projectors.storage.shard import CheckpointMismatch, ShardPaused

log = logging.getLogger(__name__)

PAGE = 1000
"""Events read and applied at once: a Lua call of some milliseconds. Larger is no faster."""

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 5.0


class Follower:
    """One model's progress through the log."""

    def __init__(
        self, model: ReadModel, store: EventStore, decrypt: Decrypt = leave_encrypted
    ) -> None:
        self.model = model
        self.store = store
        self._applier = BatchApplier(model, store, decrypt)
        self.checkpoints = [0] * store.partitions
        self.behind: set[int] = set(range(store.partitions))
        """Partitions of which the log may have more than the model."""
        self.failing: set[int] = set()
        """Partitions whose next events could not be taken in when that was tried last."""
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._again_at = float("-inf")

    @property
    def is_backing_off(self) -> bool:
        """Whether it waits for a fault to pass."""
        return monotonic() < self._again_at

    def sync(self, heads: Sequence[int]) -> None:
        """Compare the model's checkpoints with the heads of the log."""
        if not self.is_backing_off and self._survives(self.read_checkpoints):
            self._recover()
        self.note_heads(heads)
        self.failing &= self.behind

    def note_heads(self, heads: Sequence[int]) -> None:
        """Note which partitions have more than the model, as far as is known here."""
        self.behind = {p for p, head in enumerate(heads) if head > self.checkpoints[p]}

    def lag(self, heads: Sequence[int]) -> int:
        """How many events the model has not taken in."""
        return sum(max(0, head - at) for head, at in zip(heads, self.checkpoints, strict=True))

    def process(self, batch: Sequence[Recorded]) -> None:
        """Take in a partition's consecutive events, as far as they are new; fill the gap before."""
        partition = batch[0].partition
        if self.is_backing_off:
            self.behind.add(partition)
        elif self._survives(lambda: self._take(batch)):
            self.failing.discard(partition)
            self._recover()
        else:
            self.behind.add(partition)
            self.failing.add(partition)

    def read_checkpoints(self) -> None:
        """Ask the model how far it is."""
        self.checkpoints = self.model.checkpoints(self.store.partitions)
        self._applier.refresh_parked()

    def _take(self, batch: Sequence[Recorded]) -> None:
        partition = batch[0].partition
        if batch[0].offset > self.checkpoints[partition] + 1:
            count("marquee_gaps_total", model=self.model.name)
            self._fill(partition, until=batch[0].offset)
        at = self.checkpoints[partition]
        fresh = [recorded for recorded in batch if recorded.offset > at]
        if fresh:
            self._apply(partition, fresh)

    def _fill(self, partition: int, *, until: int) -> None:
        while (at := self.checkpoints[partition]) + 1 < until:
            page = self.store.page(partition, after=at, limit=min(PAGE, until - at - 1))
            if not page:
                raise StopProjector(
                    f"The log lacks partition {partition} from {at + 1}, which the bus had."
                )
            self._apply(partition, page)

    def _apply(self, partition: int, batch: Sequence[Recorded]) -> None:
        try:
            self._applier.apply(batch)
            self.checkpoints[partition] = batch[-1].offset
        except CheckpointMismatch as error:
            # Another worker was quicker, or Redis lost its data and the checkpoint with it.
            self.checkpoints[partition] = error.at
            self.behind.add(partition)

    def _survives(self, step: Callable[[], None]) -> bool:
        """Whether the step went well; if not, rest before the next one, longer each time."""
        try:
            step()
        except ShardPaused:
            self._again_at = monotonic() + _FIRST_PAUSE_SECONDS
        except RetryLater as error:
            self._rest(str(error))
        except TRANSIENT_ERRORS as error:
            close_old_connections()
            self._rest(f"what it needs is away ({error})")
        except StopProjector:
            raise
        except Exception:
            log.exception("%s failed and stays where it is", self.model.name)
            self._rest("see the fault above")
        else:
            return True
        return False

    def _recover(self) -> None:
        """A step went well; that says nothing where another one still fails."""
        if not self.failing:
            self._pause_seconds = _FIRST_PAUSE_SECONDS

    def _rest(self, why: str) -> None:
        log.warning("%s rests for %.2f s: %s", self.model.name, self._pause_seconds, why)
        self._again_at = monotonic() + self._pause_seconds
        self._pause_seconds = min(self._pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
