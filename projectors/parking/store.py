"""What of a shard was set aside, and why?

All of it lies under the shard's own tag, so that it is written in the very step that moves the
checkpoint past it:

    parked:revision     another word whenever one more stream is parked
    parked:streams      set of the streams that are parked
    parked:stream:NAME  hash: offset -> the event and why it waits (``ParkedEvent``)
    parked:left-out     hash: partition:offset -> stream: all that the state lacks
    parked:skipped      hash: partition:offset -> what was given up (``SkippedEvent``)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from secrets import token_hex
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from redis import Redis
from redis.commands.core import Script

from events import codec
from events.recorded import Position, Recorded
from projectors.storage import replies
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write


class ParkedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parked event: payload as the log has it, sealed fields sealed, and why it waits."""

    partition: int
    offset: int
    version: int
    type: str
    data: str
    since: datetime
    reason: str
    trace: str = ""
    tries: int = 0
    """How often it was tried itself; what only follows in its stream was not."""


class SkippedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that somebody decided to do without."""

    stream: str
    entry: ParkedEvent
    at: datetime
    note: str


class FailureReason(NamedTuple):
    """What is known of a failure."""

    reason: str
    trace: str = ""


class ParkedStreams(NamedTuple):
    """The streams of a shard that are parked, as of a revision; some may be so no more."""

    revision: str = ""
    streams: frozenset[str] = frozenset()


@dataclass(frozen=True)
class UnappliedEvents:
    """The events that a shard's state lacks though its checkpoint has passed them."""

    parked: Mapping[Position, str]
    """And the stream of each."""
    skipped: frozenset[Position]

    def __contains__(self, position: Position) -> bool:
        return position in self.parked or position in self.skipped


class ParkedCount(NamedTuple):
    """How much of a model is set aside."""

    parked: int
    skipped: int


_encode = msgspec.json.Encoder().encode
_entry = msgspec.json.Decoder(ParkedEvent)
_skipped = msgspec.json.Decoder(SkippedEvent)

_KEEP = """
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
    """What sets events aside; ``new`` streams of theirs were not parked before.

    With the revision that there is then, or "" if it stays the same.
    """
    writes: list[Write] = []
    for recorded, why in events:
        entry = ParkedEvent(
            partition=recorded.partition,
            offset=recorded.offset,
            version=recorded.version,
            type=codec.type_of(recorded.event),
            data=codec.encode(recorded.event),
            since=at,
            reason=why.reason,
            trace=why.trace,
            tries=0 if why is FOLLOWS_PARKED_EVENT else 1,
        )
        writes += [
            ("HSET", _stream_key(shard, recorded.stream), entry.offset, _encode(entry).decode()),
            ("HSET", unapplied_key(shard), position_field(recorded.position), recorded.stream),
        ]
    if not new:
        return writes, ""
    revision = token_hex(8)
    writes += [("SADD", shard.parked_key, stream) for stream in sorted(new)]
    writes.append(("SET", shard.revision_key, revision))
    return writes, revision


def applied_writes(shard: Shard, positions: Iterable[Position]) -> list[Write]:
    """What says that the state has these events after all."""
    return [("HDEL", unapplied_key(shard), position_field(position)) for position in positions]


def skip_write(shard: Shard, skipped: SkippedEvent) -> Write:
    """What remembers that an event was given up; it stays left out."""
    name = position_field(Position(skipped.entry.partition, skipped.entry.offset))
    return "HSET", shard.parked("skipped"), name, _encode(skipped).decode()


def redact_writes(shard: Shard, entry: ParkedEvent, note: str) -> list[Write]:
    """What remembers only that an event is left out, and neither whose it was nor what it said."""
    bare = replace(entry, data="", reason="", trace="")
    skipped = SkippedEvent(stream="", entry=bare, at=datetime.now(UTC), note=note)
    position = Position(entry.partition, entry.offset)
    return [
        skip_write(shard, skipped),
        ("HSET", unapplied_key(shard), position_field(position), ""),
    ]


def record_failed_retry(
    redis: Redis, shard: Shard, stream: str, entry: ParkedEvent, why: FailureReason
) -> None:
    """Keep another reason why an event is parked, if it still is."""
    again = replace(entry, reason=why.reason, trace=why.trace, tries=entry.tries + 1)
    _script(redis)(keys=[_stream_key(shard, stream)], args=[entry.offset, _encode(again)])


# ------------------------------------------------------------------------------ reads


def unapplied_key(shard: Shard) -> str:
    """Where it stands which events a shard's state lacks though its checkpoint has passed them."""
    return shard.parked("left-out")


def position_field(position: Position) -> str:
    """A position as a field's name."""
    return f"{position.partition}:{position.offset}"


def read_parked_streams(
    redis: Redis, shards: Sequence[Shard], known: Mapping[Shard, ParkedStreams]
) -> list[ParkedStreams]:
    """What is parked of each shard now; what is ``known`` is not read again."""
    with redis.pipeline(transaction=False) as pipe:
        for shard in shards:
            pipe.get(shard.revision_key)
        revisions = [(revision or b"").decode() for revision in pipe.execute()]
    there = dict(zip(shards, revisions, strict=True))
    changed = [s for s in shards if there[s] and known.get(s, ParkedStreams()).revision != there[s]]
    with redis.pipeline(transaction=False) as pipe:
        # Behind the revision: streams that are newer than it do no harm, older ones would.
        for shard in changed:
            pipe.smembers(shard.parked_key)
        found = dict(zip(changed, pipe.execute(), strict=True))
    return [
        ParkedStreams(there[s], frozenset(stream.decode() for stream in found[s]))
        if s in found
        else (known[s] if there[s] else ParkedStreams())
        for s in shards
    ]


def read_revision(redis: Redis, shard: Shard) -> str:
    """The revision of what is parked of a shard."""
    return (replies.get(redis, shard.revision_key) or b"").decode()


def read_parked_events(redis: Redis, shard: Shard, stream: str) -> list[ParkedEvent]:
    """What is parked of a stream, in order."""
    found = replies.hgetall(redis, _stream_key(shard, stream))
    return sorted(map(_entry.decode, found.values()), key=lambda entry: entry.offset)


def read_skipped_events(redis: Redis, shard: Shard) -> list[SkippedEvent]:
    """What of a shard was given up, in order of position."""
    found = map(_skipped.decode, replies.hgetall(redis, shard.parked("skipped")).values())
    return sorted(found, key=lambda one: (one.entry.partition, one.entry.offset))


def unapplied_keys(shard: Shard) -> tuple[str, str]:
    """The hashes of all unapplied events and of the skipped ones: see ``unapplied_events_of``."""
    return unapplied_key(shard), shard.parked("skipped")


def unapplied_events_of(
    streams: Mapping[bytes, bytes], skipped: Iterable[bytes]
) -> UnappliedEvents:
    """The unapplied events out of these two hashes: all, by position, and the skipped ones."""
    gone = frozenset(map(_position, skipped))
    parked = {_position(name): stream.decode() for name, stream in streams.items()}
    return UnappliedEvents({at: stream for at, stream in parked.items() if at not in gone}, gone)


def count_parked(model: ReadModel, partitions: int) -> ParkedCount:
    """How much of a model is set aside."""
    shards = shards_of(model, partitions)
    with model.redis.pipeline(transaction=False) as pipe:
        for shard in shards:
            pipe.hlen(unapplied_key(shard))
            pipe.hlen(shard.parked("skipped"))
        found = pipe.execute()
    all_, given_up = sum(found[::2]), sum(found[1::2])
    return ParkedCount(parked=all_ - given_up, skipped=given_up)


def shards_of(model: ReadModel, partitions: int) -> list[Shard]:
    """A model's shards."""
    return list(dict.fromkeys(model.shard(partition) for partition in range(partitions)))


def _stream_key(shard: Shard, stream: str) -> str:
    return shard.parked("stream", stream)


@cache
def _script(redis: Redis) -> Script:
    return redis.register_script(_KEEP)


def _position(name: bytes) -> Position:
    partition, _, offset = name.partition(b":")
    return Position(int(partition), int(offset))
