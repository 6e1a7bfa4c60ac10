"""Follower: applies the events of the log to one read model, in order and each once.

Events come from the bus or from the log; it makes no difference. The happy path is here: check the
offset against the checkpoint, collect the model's writes, apply them to the shard. Only when a
batch fails, or something is parked in its shard, does ``projectors.parking.applier`` take over.
A fault of the environment is retried in place, after a back-off.
"""

import logging
from collections.abc import Sequence
from time import monotonic

import msgspec
from django.db import Error as DatabaseError
from django.db import close_old_connections

from events.recorded import Recorded
from events.store import EventStore
from infra.backoff import Backoff
from infra.observability import count
from projectors.errors import TRANSIENT_ERRORS, RetryLater, StopProjector
from projectors.parking.applier import ParkingApplier
from projectors.parking.circuit_breaker import CircuitBreaker
from projectors.storage.read_model import Decrypt, ReadModel, leave_encrypted
from projectors.storage.shard import CheckpointMismatch, pack

log = logging.getLogger(__name__)

PAGE = 1000
"""Events read and applied at once: a Lua call of some milliseconds. Larger is no faster."""

_FIRST_DELAY_SECONDS = 0.05
_MAX_DELAY_SECONDS = 5.0


class Follower:
    """One generation of a read model and its checkpoints."""

    def __init__(
        self, model: ReadModel, store: EventStore, decrypt: Decrypt = leave_encrypted
    ) -> None:
        self.model = model
        self.store = store
        self._shards = [model.shard(partition) for partition in range(store.partitions)]
        self.checkpoints = [0] * store.partitions
        self.behind: set[int] = set(range(store.partitions))
        """Partitions in which the log may be ahead of the model."""
        self.failing: set[int] = set()
        """Partitions whose next events failed at the last attempt."""
        self._decrypt = decrypt
        self._breaker = CircuitBreaker(model.name, store)
        self._parking = ParkingApplier(model, store, decrypt, self._breaker)
        self._backoff = Backoff(_FIRST_DELAY_SECONDS, _MAX_DELAY_SECONDS)
        self._retry_at = 0.0
        """When a failed step is tried again; 0 while nothing fails."""

    @property
    def is_backing_off(self) -> bool:
        return monotonic() < self._retry_at

    def lag(self, heads: Sequence[int]) -> int:
        return sum(max(0, head - at) for head, at in zip(heads, self.checkpoints, strict=True))

    # ------------------------------------------------------------------------------ events

    def process(self, batch: Sequence[Recorded]) -> None:
        """Apply consecutive events of one partition; first read what the model lacks before them.

        A batch that fails leaves its partition ``behind``. Raises StopProjector.
        """
        partition = batch[0].partition
        if self.is_backing_off:
            self.behind.add(partition)
            return
        try:
            if batch[0].offset > self.checkpoints[partition] + 1:
                self._fill_gap(partition, until=batch[0].offset)
            self._apply(batch)
        except StopProjector:
            raise
        except Exception as error:  # noqa: BLE001 - logged, and the same events are tried again
            self._back_off(error)
            self.behind.add(partition)
            self.failing.add(partition)
        else:
            if self._retry_at:
                self.failing.discard(partition)
                self._end_back_off()

    def _fill_gap(self, partition: int, *, until: int) -> None:
        count("marquee_gaps_total", model=self.model.name)
        while (at := self.checkpoints[partition]) + 1 < until:
            page = self.store.page(partition, after=at, limit=min(PAGE, until - at - 1))
            if not page:
                raise StopProjector(
                    f"The log lacks partition {partition} from {at + 1} on,"
                    " but the bus delivered later events."
                )
            self._apply(page)

    def _apply(self, batch: Sequence[Recorded]) -> None:
        """Apply the events behind the checkpoint, and note where the checkpoint is then."""
        partition = batch[0].partition
        new = batch[max(0, self.checkpoints[partition] + 1 - batch[0].offset) :]
        if not new:
            return
        try:
            self._write(new)
            self.checkpoints[partition] = new[-1].offset
        except CheckpointMismatch as error:
            # Another worker was quicker, or Redis lost its data and the checkpoint with it.
            self.checkpoints[partition] = error.at
            self.behind.add(partition)

    def _write(self, batch: Sequence[Recorded]) -> None:
        """Write what the events change and move the checkpoint, in one step of the shard."""
        partition = batch[0].partition
        shard = self._shards[partition]
        if shard in self._parking.parked:
            self._parking.apply(batch)
            return
        try:
            events = self._decrypt(batch) if self.model.decrypts else batch
            packed = pack(self.model.writes(shard, events))
            shard.apply(partition, first=batch[0].offset, last=batch[-1].offset, packed=[packed])
        except (CheckpointMismatch, StopProjector, *TRANSIENT_ERRORS):
            raise
        except Exception:  # noqa: BLE001 - a poison event, or ParkedStreamsChanged
            self._parking.apply(batch)
        else:
            if packed and self._breaker.failed_streams:
                self._breaker.reset()

    # ------------------------------------------------------------------------------ checkpoints

    def sync(self, heads: Sequence[int]) -> None:
        """Read the model's checkpoints and compare them with the heads of the log."""
        if not self.is_backing_off:
            try:
                self.read_checkpoints()
            except StopProjector:
                raise
            except Exception as error:  # noqa: BLE001 - logged, and tried again
                self._back_off(error)
            else:
                self._end_back_off()
        self.note_heads(heads)
        self.failing &= self.behind

    def note_heads(self, heads: Sequence[int]) -> None:
        """Note which partitions have more events than the model, by the checkpoints known here."""
        self.behind = {p for p, head in enumerate(heads) if head > self.checkpoints[p]}

    def read_checkpoints(self) -> None:
        """Read the model's checkpoints, and which of its streams are parked."""
        self.checkpoints = self.model.checkpoints(self.store.partitions)
        self._parking.refresh()

    # ------------------------------------------------------------------------------ back-off

    def _back_off(self, error: Exception) -> None:
        """Schedule the next attempt, later each time, and log the reason."""
        seconds = self._backoff.next_seconds()
        self._retry_at = monotonic() + seconds
        if isinstance(error, RetryLater):
            reason = str(error)
        elif isinstance(error, TRANSIENT_ERRORS):
            if isinstance(error, DatabaseError):
                close_old_connections()
            reason = f"PostgreSQL or Redis is unavailable ({error})"
        else:
            log.error("%s failed", self.model.name, exc_info=error)
            reason = "see the error above"
        log.warning("%s: next attempt in %.2f s: %s", self.model.name, seconds, reason)

    def _end_back_off(self) -> None:
        """Begin with the first delay again, unless other partitions still fail."""
        if not self.failing:
            self._backoff.reset()
            self._retry_at = 0.0


def read_page(
    store: EventStore, partition: int, followers: Sequence[Follower], *, until: int | None = None
) -> int:
    """Hand the next page of a partition to all followers, up to offset ``until``.

    Returns the number of events; raises StopProjector for one that can't be decoded.
    """
    after = min(follower.checkpoints[partition] for follower in followers)
    limit = PAGE if until is None else min(PAGE, max(0, until - after))
    try:
        page = store.page(partition, after=after, limit=limit) if limit else ()
    except msgspec.ValidationError as error:
        raise StopProjector(
            f"Cannot decode an event of partition {partition} after offset {after}: {error}."
            " Run ./manage.py events verify"
        ) from error
    for follower in followers:
        if len(page) < PAGE:
            follower.behind.discard(partition)
        if page and follower.checkpoints[partition] < page[-1].offset:
            follower.process(page)
    return len(page)
