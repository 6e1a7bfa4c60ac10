"""CloudEvents 1.0 envelope: an event's JSON form on the bus and in archives.

An event's data passes through undecoded, so what was encoded is decoded byte for byte.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from events.recorded import Stored

CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "/marquee/log"


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The envelope. CloudEvents wants attribute names in lower case, without separators."""

    specversion: Literal["1.0"]
    id: Annotated[
        str,
        Meta(
            description="Position in the log: partition, hyphen, offset. Unique within the source."
        ),
    ]
    source: Annotated[str, Meta(description="Always /marquee/log.")]
    type: Annotated[str, Meta(description="The event's type, with its version.")]
    subject: Annotated[
        str, Meta(description="The stream: the user, movie or other thing the event belongs to.")
    ]
    time: Annotated[
        datetime,
        Meta(
            tz=True,
            description="When it happened; for imported events long before they were recorded.",
        ),
    ]
    recordedtime: Annotated[
        datetime, Meta(tz=True, description="When the event was appended to the log.")
    ]
    partition: Annotated[
        int, Meta(description="Partition of the log; order is promised within a partition only.")
    ]
    offset: Annotated[int, Meta(description="Place in the partition: 1, 2, 3, without a gap.")]
    streamversion: Annotated[int, Meta(description="Place in the stream: 1, 2, 3, without a gap.")]
    correlationid: Annotated[UUID, Meta(description="The request that it all began with.")]
    causationid: Annotated[
        str | None, Meta(description="The message that led to this one, if it was a message.")
    ] = None
    traceparent: Annotated[str | None, Meta(description="W3C Trace Context of the request.")] = None
    datacontenttype: Annotated[str, Meta(description="Left out, since it is always this.")] = (
        "application/json"
    )
    data: Annotated[msgspec.Raw, Meta(description="The event itself.")]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CloudEvent)


def wrap(stored: Stored) -> bytes:
    """Encode a stored event as a CloudEvent."""
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
            correlationid=stored.correlation_id,
            causationid=stored.causation_id,
            traceparent=stored.traceparent,
            data=msgspec.Raw(stored.data),
        )
    )


def unwrap(message: bytes) -> Stored:
    """Decode a CloudEvent; raises msgspec.ValidationError for anything else."""
    cloud_event = _decoder.decode(message)
    return Stored(
        partition=cloud_event.partition,
        offset=cloud_event.offset,
        stream=cloud_event.subject,
        version=cloud_event.streamversion,
        type=cloud_event.type,
        data=decode_text(cloud_event.data),
        occurred_at=cloud_event.time,
        recorded_at=cloud_event.recordedtime,
        correlation_id=cloud_event.correlationid,
        causation_id=cloud_event.causationid,
        traceparent=cloud_event.traceparent,
    )


def decode_text(data: msgspec.Raw) -> str:
    """Raw JSON as text; raises msgspec.DecodeError if it is not UTF-8."""
    try:
        return bytes(data).decode()
    except UnicodeDecodeError as error:  # msgspec does not validate Raw
        raise msgspec.DecodeError(str(error)) from error
