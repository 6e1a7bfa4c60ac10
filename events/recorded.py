"""Recorded events: an event with its stream, version, position, times and origin."""

from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import msgspec

from events.catalogue import AnyEvent


def partition_of(owner: str, partitions: int) -> int:
    """The partition (0..partitions-1) of an owner: a user's id, a movie's, a board's name."""
    return int.from_bytes(sha256(owner.encode()).digest()[:4]) % partitions


class Stream(NamedTuple):
    """One aggregate's events: its name, and the owner whose partition they are in."""

    name: str
    owner: str


class Position(NamedTuple):
    """An event's place in the log; offsets start at 1 and are dense within their partition."""

    partition: int
    offset: int


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The request an event was caused by, and the message that led to it, if any."""

    correlation_id: UUID
    causation_id: str | None = None
    traceparent: str | None = None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the log."""

    partition: int
    offset: int
    stream: str
    version: int
    occurred_at: datetime
    recorded_at: datetime
    origin: Origin
    event: AnyEvent

    @property
    def position(self) -> Position:
        """The event's place in the log."""
        return Position(self.partition, self.offset)


class Stored(msgspec.Struct, frozen=True):
    """A row of the log: a recorded event that is still JSON, not decoded."""

    partition: int
    offset: int
    stream: str
    version: int
    type: str
    data: str
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID
    causation_id: str | None = None
    traceparent: str | None = None
