"""Purge: removes an erased user from one generation.

A generation that follows the log applies ``user-erased`` like every other event. One that shows a
moment of the past is given the same writes. The user's parked events are skipped in both cases.
"""

from uuid import UUID

from events.recorded import Position, Recorded
from events.store import EventStore
from events.stream_names import erasure_of
from projectors.parking.retry import ParkedStreamKey, ParkedStreamRetry
from projectors.parking.store import (
    ParkedEvent,
    read_parked_events,
    read_parked_streams,
    read_skipped_events,
    redact_writes,
)
from projectors.registry import BUILT
from projectors.storage.read_model import ReadModel, leave_encrypted
from projectors.storage.shard import Shard, pack

_NOTE = "the user was erased"


def is_behind(model: ReadModel, user_id: UUID, erasure: Position) -> str:
    """The reason why a generation that follows the log is not purged yet; "" if it is."""
    partition, offset = erasure
    if model.checkpoint(partition) < offset:
        return "has not reached the erasure in the log"
    if erasure_of(user_id).name in _parked(model, model.shard(partition)):
        return "has parked the erasure event: see manage.py parked"
    if type(model) in BUILT and model.built(partition) < offset:
        return "is still being built"
    return ""


def purge(model: ReadModel, user_id: UUID, erasure: Recorded) -> None:
    """Purge a generation of the past, by the writes of the erasure event."""
    shard = model.shard(erasure.partition)
    marks = pack(model.unmark_writes(shard, str(user_id)))
    shard.overwrite([model.pack([erasure], leave_encrypted), marks])


def redact_parked(model: ReadModel, store: EventStore, user_id: UUID, partition: int) -> int:
    """Skip the user's parked events and remove their contents; how many there were."""
    shard, user = model.shard(partition), str(user_id)
    parked_retry = ParkedStreamRetry(model, store, leave_encrypted)
    count = 0
    for stream in _parked(model, shard):
        if _is_of(user, stream, read_parked_events(model.redis, shard, stream)):
            count += parked_retry.redact(ParkedStreamKey(shard, stream), _NOTE)
    skipped = [
        one
        for one in read_skipped_events(model.redis, shard)
        if _is_of(user, one.stream, [one.entry])
    ]
    for one in skipped:
        shard.overwrite([pack(redact_writes(shard, one.entry, _NOTE))])
    return count + len(skipped)


def _parked(model: ReadModel, shard: Shard) -> frozenset[str]:
    [parked] = read_parked_streams(model.redis, [shard], {})
    return parked.streams


def _is_of(user: str, stream: str, waiting: list[ParkedEvent]) -> bool:
    return user in stream or any(user in entry.data for entry in waiting)
