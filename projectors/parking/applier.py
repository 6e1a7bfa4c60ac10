"""Applies batches that the happy path can't: poison events, and events of parked streams.

What can be applied is applied; what can't is parked with the rest of its stream. Both, and moving
the checkpoint past them, are one step of the shard. The set of parked streams has a revision, and
the shard refuses a batch prepared for another revision. A retry that empties a stream does not
change the revision, because thousands of retries would delay the workers. So the shard also checks
that the batch's parked streams are still parked and its other streams are not: a Redis that was
killed restarts with older data, in which a retried stream is parked again.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from events.recorded import Recorded
from events.store import EventStore
from infra.observability import set_gauge
from projectors.parking.bisect import BisectResult, isolate_failures
from projectors.parking.circuit_breaker import CircuitBreaker
from projectors.parking.store import (
    ParkedStreams,
    count_parked,
    park_writes,
    read_parked_streams,
)
from projectors.storage.read_model import Decrypt, ReadModel
from projectors.storage.shard import ParkedStreamsChanged, Shard, pack

log = logging.getLogger(__name__)


class ParkingApplier:
    """The failure path of one generation, and the parked streams of its shards."""

    def __init__(
        self, model: ReadModel, store: EventStore, decrypt: Decrypt, breaker: CircuitBreaker
    ) -> None:
        self.parked: dict[Shard, ParkedStreams] = {}
        """The shards in which something was parked, as far as is known here."""
        self._model = model
        self._partitions = store.partitions
        self._decrypt = decrypt
        self._breaker = breaker
        self._has_refreshed = False

    def refresh(self) -> None:
        """Read what is parked now: other workers park too, and people retry and skip."""
        shards = self._model.shards(self._partitions)
        of_shards = read_parked_streams(self._model.redis, shards)
        self.parked = {s: p for s, p in zip(shards, of_shards, strict=True) if p.revision}
        if not self._has_refreshed:
            # Streams that failed before this worker started, perhaps by the same deploy.
            self._has_refreshed = True
            self._breaker.failed_streams.update(*(parked.streams for parked in of_shards))
        count = count_parked(self._model, self._partitions).parked if self.parked else 0
        set_gauge("marquee_parked_events", count, model=self._model.name)

    def apply(self, batch: Sequence[Recorded]) -> None:
        """Apply or park consecutive events of one partition: all of them, or none.

        Raises CheckpointMismatch, StopProjector and TRANSIENT_ERRORS.
        """
        shard = self._model.shard(batch[0].partition)
        parked = self.parked.get(shard) or self._read_parked(shard)
        while not self._try_to_apply(shard, batch, parked):
            parked = self._read_parked(shard)

    def _try_to_apply(self, shard: Shard, batch: Sequence[Recorded], parked: ParkedStreams) -> bool:
        """Apply or park; return False if the parked streams changed meanwhile.

        Raises StopProjector when it is the code that fails.
        """
        result = isolate_failures(
            batch, parked.streams, self._pack, is_personal=self._model.decrypts
        )
        if result.packed:
            self._breaker.reset()
        elif result.reasons:
            self._breaker.check(result.reasons, batch, self._pack)
        new = frozenset(result.reasons)
        writes, revision = park_writes(shard, result.parked, new, datetime.now(UTC))
        others = {recorded.stream for recorded in batch} - parked.streams
        try:
            is_applied = shard.apply(
                batch[0].partition,
                first=batch[0].offset,
                last=batch[-1].offset,
                packed=[*result.packed, pack(writes)],
                revision=parked.revision,
                still_parked=sorted({recorded.stream for recorded, _ in result.parked} - new),
                not_parked=sorted(others) if parked.revision else (),
            )
        except ParkedStreamsChanged:
            return False
        if is_applied and new:
            self.parked[shard] = ParkedStreams(revision, parked.streams | new)
            self._log_parked(result)
        return True

    def _pack(self, events: Sequence[Recorded]) -> bytes:
        return self._model.pack(events, self._decrypt)

    def _read_parked(self, shard: Shard) -> ParkedStreams:
        [parked] = read_parked_streams(self._model.redis, [shard])
        if parked.revision:
            self.parked[shard] = parked
        else:
            self.parked.pop(shard, None)
        return parked

    def _log_parked(self, result: BisectResult) -> None:
        for recorded, reason in result.parked:
            if result.reasons.get(recorded.stream) is reason:
                log.warning(
                    "%s: parked stream %s from %d:%d on: %s",
                    *(self._model.name, recorded.stream),
                    *(recorded.partition, recorded.offset, reason.reason),
                )
