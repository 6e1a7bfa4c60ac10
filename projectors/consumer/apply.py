"""How does one model take in consecutive events of a partition, whatever becomes of each?

Those that can be applied are, those that never can are parked with what follows in their streams;
both, and the checkpoint that passes them, are one step of the shard. Which streams are parked is
known by a revision, and the shard refuses what was decided by another one. A stream that is parked
no more changes no revision (a retry of thousands would hold up the workers); the shard compares
that those are still parked that events are put behind, and that none is of which events go in: a
Redis that was killed comes back as it was, and then what a retry had freed is parked again.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

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
    shards_of,
)
from projectors.storage.read_model import Decrypt, ReadModel
from projectors.storage.shard import ParkedStreamsChanged, Shard, pack

log = logging.getLogger(__name__)


class _Step(NamedTuple):
    packed: list[bytes]
    behind: list[str]
    """Streams that were parked before, and of which more is parked."""
    ahead: list[str]
    """Streams of which some are taken in, where any are parked."""
    after: ParkedStreams
    """What is parked once it is done."""


class BatchApplier:
    """One generation's way in."""

    def __init__(self, model: ReadModel, store: EventStore, decrypt: Decrypt) -> None:
        self._model = model
        self._partitions = store.partitions
        self._decrypt = decrypt
        self._aside: dict[Shard, ParkedStreams] = {}
        self._breaker = CircuitBreaker(model.name, store)
        self._has_looked = False

    def refresh_parked(self) -> None:
        """See what is parked now: others park too, and people retry and skip."""
        shards = shards_of(self._model, self._partitions)
        found = read_parked_streams(self._model.redis, shards, self._aside)
        self._aside = dict(zip(shards, found, strict=True))
        if not self._has_looked:
            self._has_looked = True
            self._breaker.remember(stream for aside in found for stream in aside.streams)
        is_any = any(aside.revision for aside in found)
        parked = count_parked(self._model, self._partitions).parked if is_any else 0
        set_gauge("marquee_parked_events", parked, model=self._model.name)

    def apply(self, batch: Sequence[Recorded]) -> None:
        """Take in the next events of a partition, or none.

        Raises CheckpointMismatch, ShardPaused, StopProjector and TRANSIENT_ERRORS.
        """
        shard = self._model.shard(batch[0].partition)
        while True:  # until nobody parks in this shard, or retries the same stream, meanwhile
            aside = self._aside.get(shard, ParkedStreams())
            sifted = self._sift(batch, aside)
            step = _step(shard, batch, sifted, aside)
            try:
                is_done = shard.apply(
                    batch[0].partition,
                    first=batch[0].offset,
                    last=batch[-1].offset,
                    packed=step.packed,
                    revision=aside.revision,
                    behind=step.behind,
                    ahead=step.ahead,
                )
            except ParkedStreamsChanged:
                [self._aside[shard]] = read_parked_streams(self._model.redis, [shard], {})
                continue
            if is_done:
                self._aside[shard] = step.after
                self._say(sifted)
            return

    def _sift(self, batch: Sequence[Recorded], aside: ParkedStreams) -> BisectResult:
        sifted = isolate_failures(batch, aside.streams, self._attempt, is_open=self._model.decrypts)
        if sifted.packed:
            self._breaker.clear()
        elif sifted.failed:
            self._breaker.check(sifted.failed, batch, self._attempt)
        return sifted

    def _attempt(self, events: Sequence[Recorded]) -> bytes:
        return self._model.pack(events, self._decrypt)

    def _say(self, sifted: BisectResult) -> None:
        for recorded, why in sifted.aside:
            if sifted.failed.get(recorded.stream) is why:
                log.warning(
                    "%s parks %s from %d:%d on: %s",
                    self._model.name,
                    recorded.stream,
                    recorded.partition,
                    recorded.offset,
                    why.reason,
                )


def _step(
    shard: Shard, batch: Sequence[Recorded], sifted: BisectResult, aside: ParkedStreams
) -> _Step:
    ahead: set[str] = set()
    if aside.revision:
        ahead = {recorded.stream for recorded in batch} - aside.streams
    if not sifted.aside:
        return _Step(sifted.packed, [], sorted(ahead), aside)
    new = frozenset(sifted.failed)
    writes, revision = park_writes(shard, sifted.aside, new, datetime.now(UTC))
    after = ParkedStreams(revision, aside.streams | new) if new else aside
    behind = sorted({recorded.stream for recorded, _ in sifted.aside} - new)
    return _Step([*sifted.packed, pack(writes)], behind, sorted(ahead), after)
