"""How is an event written, and read again?

In the log: the event's own JSON, tag included. On the bus: CloudEvents 1.0 JSON, one event a
message.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from events.catalogue import AnyEvent
from events.recorded import Origin, Recorded, Stored
from events.upcasters import UPCASTERS, upcast

SOURCE = "/marquee/log"

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The envelope on the bus; CloudEvents wants attribute names in lower case, no separators."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    recordedtime: datetime
    partition: int
    offset: int
    streamversion: int
    correlationid: UUID
    causationid: str | None = None
    traceparent: str | None = None
    datacontenttype: str = "application/json"
    data: msgspec.Raw


_wire_decoder = msgspec.json.Decoder(CloudEvent)


def encode(event: AnyEvent) -> str:
    """The event as the log keeps it."""
    return _encoder.encode(event).decode()


def decode(type_: str, data: bytes | str | msgspec.Raw) -> AnyEvent:
    """The event that was stored; raises msgspec.ValidationError when it breaks its contract."""
    if type_ in UPCASTERS:
        stored: dict[str, Any] = msgspec.json.decode(data)
        event: AnyEvent = msgspec.convert(upcast(stored), AnyEvent)
        return event
    return _decoder.decode(data)


def type_of(event: AnyEvent) -> str:
    """The event's tag."""
    return str(event.__struct_config__.tag)


def decode_stored(stored: Stored) -> Recorded:
    """A row of the log with its event decoded."""
    return Recorded(
        partition=stored.partition,
        offset=stored.offset,
        stream=stored.stream,
        version=stored.version,
        occurred_at=stored.occurred_at,
        recorded_at=stored.recorded_at,
        origin=stored.origin,
        event=decode(stored.type, stored.data),
    )


def to_wire(stored: Stored) -> bytes:
    """The message of a stored event; its data goes through undecoded."""
    return _encoder.encode(
        CloudEvent(
            specversion="1.0",
            id=f"{stored.partition}-{stored.offset}",
            source=SOURCE,
            type=stored.type,
            subject=stored.stream,
            time=stored.occurred_at,
            recordedtime=stored.recorded_at,
            partition=stored.partition,
            offset=stored.offset,
            streamversion=stored.version,
            correlationid=stored.origin.correlation_id,
            causationid=stored.origin.causation_id,
            traceparent=stored.origin.traceparent,
            data=msgspec.Raw(stored.data),
        )
    )


def from_wire(message: bytes) -> Recorded:
    """The event that a message carries; raises msgspec.ValidationError for anything else."""
    wire = _wire_decoder.decode(message)
    return Recorded(
        partition=wire.partition,
        offset=wire.offset,
        stream=wire.subject,
        version=wire.streamversion,
        occurred_at=wire.time,
        recorded_at=wire.recordedtime,
        origin=Origin(
            correlation_id=wire.correlationid,
            causation_id=wire.causationid,
            traceparent=wire.traceparent,
        ),
        event=decode(wire.type, wire.data),
    )
