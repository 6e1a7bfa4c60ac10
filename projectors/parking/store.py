"""Store of parked events (dead letters), in Redis beside the shard's data.

All keys carry the shard's own tag, so that an event is parked in the same step that moves the
checkpoint past it:

    parked:revision     a random token, replaced whenever one more stream is parked
    parked:streams      set of the streams that are parked
    parked:stream:NAME  hash: offset -> ``ParkedEvent``
    parked:left-out     hash: partition:offset -> stream, of all events that the state lacks
    parked:skipped      hash: partition:offset -> ``SkippedEvent``
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from redis import Redis

from events import codec
from events.recorded import Position, Recorded
from projectors.storage import replies
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write, script


class ParkedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parked event: its payload as in the log, personal fields encrypted, and why it failed."""

    partition: int
    offset: int
    version: int
    type: str
    data: str
    since: datetime
    reason: str
    trace: str = ""
    tries: int = 0
    """Attempts to apply it; 0 for one that only follows a poison event in its stream."""


class SkippedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a person decided not to apply."""

    stream: str
    entry: ParkedEvent
    at: datetime
    note: str


class FailureReason(NamedTuple):
    """Why an event failed, and the last lines of the traceback."""

    reason: str
    trace: str = ""


class ParkedStreams(NamedTuple):
    """The parked streams of a shard at a revision; some may have been retried since."""

    revision: str = ""
    streams: frozenset[str] = frozenset()


@dataclass(frozen=True)
class UnappliedEvents:
    """The events that a shard's state lacks though its checkpoint has passed them."""

    parked: Mapping[Position, str]
    """Position -> stream."""
    skipped: frozenset[Position]

    def __contains__(self, position: Position) -> bool:
        return position in self.parked or position in self.skipped


class ParkedCount(NamedTuple):
    parked: int
    skipped: int


_encode = msgspec.json.Encoder().encode
_parked_event = msgspec.json.Decoder(ParkedEvent)
_skipped_event = msgspec.json.Decoder(SkippedEvent)

_REPLACE_IF_PARKED = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
"""

FOLLOWS_PARKED_EVENT = FailureReason("follows a parked event of its stream")


# ------------------------------------------------------------------------------ writes


def park_writes(
    shard: Shard,
    events: Iterable[tuple[Recorded, FailureReason]],
    new: frozenset[str],
    at: datetime,
) -> tuple[list[Write], str]:
    """The commands that park events; the ``new`` streams were not parked before.

    Also returns the new revision, or "" if it stays the same.
    """
    writes: list[Write] = []
    for recorded, failure in events:
        type_, data = codec.encode(recorded.event)
        event = ParkedEvent(
            partition=recorded.partition,
            offset=recorded.offset,
            version=recorded.version,
            type=type_,
            data=data,
            since=at,
            reason=failure.reason,
            trace=failure.trace,
            tries=0 if failure is FOLLOWS_PARKED_EVENT else 1,
        )
        writes += [
            ("HSET", _stream_key(shard, recorded.stream), event.offset, _encode(event).decode()),
            ("HSET", unapplied_key(shard), position_field(recorded.position), recorded.stream),
        ]
    if not new:
        return writes, ""
    revision = token_hex(8)
    writes += [("SADD", shard.parked_streams_key, stream) for stream in sorted(new)]
    writes.append(("SET", shard.revision_key, revision))
    return writes, revision


def applied_writes(shard: Shard, positions: Iterable[Position]) -> list[Write]:
    """The commands that note that the state has these events after all."""
    return [("HDEL", unapplied_key(shard), position_field(position)) for position in positions]


def skip_write(shard: Shard, skipped: SkippedEvent) -> Write:
    """The command that notes that an event is skipped; the state still lacks it."""
    field = position_field(Position(skipped.entry.partition, skipped.entry.offset))
    return "HSET", shard.parked("skipped"), field, _encode(skipped).decode()


def redact_writes(shard: Shard, event: ParkedEvent, note: str) -> list[Write]:
    """The commands that skip an event and remove its data, its reason and its stream's name."""
    bare = replace(event, data="", reason="", trace="")
    skipped = SkippedEvent(stream="", entry=bare, at=datetime.now(UTC), note=note)
    field = position_field(Position(event.partition, event.offset))
    return [skip_write(shard, skipped), ("HSET", unapplied_key(shard), field, "")]


def record_failed_retry(
    redis: Redis, shard: Shard, stream: str, event: ParkedEvent, failure: FailureReason
) -> None:
    """Store the new reason of a parked event, if it is still parked."""
    failed = replace(event, reason=failure.reason, trace=failure.trace, tries=event.tries + 1)
    script(redis, _REPLACE_IF_PARKED)(
        keys=[_stream_key(shard, stream)], args=[event.offset, _encode(failed)]
    )


# ------------------------------------------------------------------------------ reads


def unapplied_key(shard: Shard) -> str:
    """The key of the hash of all events that a shard's state lacks."""
    return shard.parked("left-out")


def position_field(position: Position) -> str:
    return f"{position.partition}:{position.offset}"


def read_parked_streams(redis: Redis, shards: Iterable[Shard]) -> list[ParkedStreams]:
    with redis.pipeline(transaction=False) as pipe:
        for shard in shards:
            # Revision first: streams newer than it do no harm, older ones would.
            pipe.get(shard.revision_key)
            pipe.smembers(shard.parked_streams_key)
        stored = iter(pipe.execute())
    return [
        ParkedStreams((revision or b"").decode(), frozenset(stream.decode() for stream in streams))
        for revision, streams in zip(stored, stored, strict=True)
    ]


def read_revision(redis: Redis, shard: Shard) -> str:
    """The revision of a shard's parked streams; "" if none was ever parked."""
    return (replies.get(redis, shard.revision_key) or b"").decode()


def read_parked_events(redis: Redis, shard: Shard, stream: str) -> list[ParkedEvent]:
    """The parked events of a stream, in order."""
    stored = replies.hgetall(redis, _stream_key(shard, stream))
    return sorted(map(_parked_event.decode, stored.values()), key=lambda event: event.offset)


def read_skipped_events(redis: Redis, shard: Shard) -> list[SkippedEvent]:
    """The skipped events of a shard, in order of position."""
    stored = replies.hgetall(redis, shard.parked("skipped"))
    return sorted(
        map(_skipped_event.decode, stored.values()),
        key=lambda skipped: (skipped.entry.partition, skipped.entry.offset),
    )


def unapplied_keys(shard: Shard) -> tuple[str, str]:
    """The hashes of all unapplied and of the skipped events, for ``decode_unapplied_events``."""
    return unapplied_key(shard), shard.parked("skipped")


def decode_unapplied_events(
    unapplied: Mapping[bytes, bytes], skipped_fields: Iterable[bytes]
) -> UnappliedEvents:
    """Decode the hash of all unapplied events and the fields of that of the skipped ones."""
    skipped = frozenset(map(_position, skipped_fields))
    streams = {_position(field): stream.decode() for field, stream in unapplied.items()}
    parked = {at: stream for at, stream in streams.items() if at not in skipped}
    return UnappliedEvents(parked, skipped)


def count_parked(model: ReadModel, partitions: int) -> ParkedCount:
    """How many events of a model are parked, and how many skipped."""
    with model.redis.pipeline(transaction=False) as pipe:
        for shard in model.shards(partitions):
            pipe.hlen(unapplied_key(shard))
            pipe.hlen(shard.parked("skipped"))
        lengths = pipe.execute()
    unapplied, skipped = sum(lengths[::2]), sum(lengths[1::2])
    return ParkedCount(parked=unapplied - skipped, skipped=skipped)


def _stream_key(shard: Shard, stream: str) -> str:
    return shard.parked("stream", stream)


def _position(field: bytes) -> Position:
    partition, _, offset = field.partition(b":")
    return Position(int(partition), int(offset))
