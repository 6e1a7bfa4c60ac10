"""What does the log know of an event beside what happened?"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from events.catalogue import AnyEvent


class Stream(NamedTuple):
    """One aggregate's events: its name, and the owner whose partition they are in."""

    name: str
    owner: str


class Position(NamedTuple):
    """A place in the log; offsets start at 1 and are dense within their partition."""

    partition: int
    offset: int


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where an event comes from: the request it all began with, and the message that led to it."""

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
        """Where it stands."""
        return Position(self.partition, self.offset)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded event as it is kept: the event itself still in its stored form, not decoded."""

    partition: int
    offset: int
    stream: str
    version: int
    type: str
    data: str
    occurred_at: datetime
    recorded_at: datetime
    origin: Origin
