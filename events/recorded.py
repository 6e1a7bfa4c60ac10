"""Recorded events: an event with its stream, version, position, times and origin."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from events.catalogue import AnyEvent


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


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded event whose event is still the stored JSON, not decoded."""

    partition: int
    offset: int
    stream: str
    version: int
    type: str
    data: str
    occurred_at: datetime
    recorded_at: datetime
    origin: Origin


def stored_from_row(row: tuple[Any, ...]) -> Stored:
    """The stored event of a row of ``events.store.postgres.COLUMNS``."""
    return Stored(
        partition=row[0],
        offset=row[1],
        stream=row[2],
        version=row[3],
        type=row[4],
        data=row[5],
        occurred_at=row[6],
        recorded_at=row[7],
        origin=Origin(correlation_id=row[8], causation_id=row[9], traceparent=row[10]),
    )
