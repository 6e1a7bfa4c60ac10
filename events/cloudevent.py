"""What does an event look like outside the log: on the bus and in an archive?

CloudEvents 1.0 in JSON, one mapping for both. An event's data passes through undecoded, as the log
has it, so what went out comes back in byte for byte.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from events.recorded import Origin, Stored

CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "/marquee/log"


_Time = Annotated[datetime, Meta(tz=True)]


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The envelope. CloudEvents wants attribute names in lower case, without separators."""

    specversion: Literal["1.0"]
    id: str
    """The event's place in the log: partition, hyphen, offset. Unique within the source."""
    source: str
    """Always ``/marquee/log``."""
    type: str
    """What happened, with the version of its form."""
    subject: str
    """The stream: whose or what's history the event belongs to."""
    time: _Time
    """When it happened; for what was imported, long before it was recorded."""
    recordedtime: _Time
    """When the log took it in."""
    partition: int
    """Which part of the log it is in; order is promised within a partition only."""
    offset: int
    """Its place in the partition: 1, 2, 3, without a gap."""
    streamversion: int
    """Its place in the stream: 1, 2, 3, without a gap."""
    correlationid: UUID
    """The request that it all began with."""
    causationid: str | None = None
    """The message that led to this one, if it was a message."""
    traceparent: str | None = None
    """W3C Trace Context of the request."""
    datacontenttype: str = "application/json"
    """Left out, for it is always this."""
    data: msgspec.Raw
    """The event itself."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CloudEvent)


def wrap(stored: Stored) -> bytes:
    """A stored event as a CloudEvent."""
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


def unwrap(message: bytes) -> Stored:
    """The stored event of a CloudEvent; raises msgspec.ValidationError for anything else."""
    said = _decoder.decode(message)
    return Stored(
        partition=said.partition,
        offset=said.offset,
        stream=said.subject,
        version=said.streamversion,
        type=said.type,
        data=text_of(said.data),
        occurred_at=said.time,
        recorded_at=said.recordedtime,
        origin=Origin(
            correlation_id=said.correlationid,
            causation_id=said.causationid,
            traceparent=said.traceparent,
        ),
    )


def text_of(data: msgspec.Raw) -> str:
    """Undecoded JSON as text; raises msgspec.DecodeError when it is none."""
    try:
        return bytes(data).decode()
    except UnicodeDecodeError as error:  # what is passed over undecoded is not looked into
        raise msgspec.DecodeError(str(error)) from error
