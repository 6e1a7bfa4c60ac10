"""Codec: encodes events for log and bus, and decodes them with upcasting.

In the log: the event's own JSON, tag included. On the bus: a CloudEvent, one event a message.
All readers decode with ``decode``, so an upcaster reaches every one of them.
"""

from typing import Any

import msgspec

from events import cloudevent
from events.catalogue import AnyEvent
from events.recorded import Origin, Recorded, Stored
from events.upcasters import UPCASTERS, upcast

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)

to_wire = cloudevent.wrap
"""Encode a stored event as a message; its data passes through undecoded."""


def encode(event: AnyEvent) -> tuple[str, str]:
    """Encode an event as the log stores it: its type and its JSON."""
    return str(event.__struct_config__.tag), _encoder.encode(event).decode()


def decode(type_: str, data: bytes | str) -> AnyEvent:
    """Decode a stored event; raises msgspec.MsgspecError when it breaks its contract."""
    if type_ in UPCASTERS:
        return _upcast(type_, data)
    return _decoder.decode(data)


def decode_stored(stored: Stored) -> Recorded:
    """Decode the event of a row of the log."""
    return Recorded(
        partition=stored.partition,
        offset=stored.offset,
        stream=stored.stream,
        version=stored.version,
        occurred_at=stored.occurred_at,
        recorded_at=stored.recorded_at,
        origin=Origin(
            correlation_id=stored.correlation_id,
            causation_id=stored.causation_id,
            traceparent=stored.traceparent,
        ),
        event=decode(stored.type, stored.data),
    )


def from_wire(message: bytes) -> Recorded:
    """Decode the event of a message; raises msgspec.ValidationError for anything else."""
    return decode_stored(cloudevent.unwrap(message))


def _upcast(type_: str, data: bytes | str) -> AnyEvent:
    stored = msgspec.json.decode(data, type=dict[str, Any])
    try:
        event: AnyEvent = msgspec.convert(upcast(stored), AnyEvent)
    except (LookupError, TypeError, AttributeError) as error:
        # A field that the upcaster needs is missing: the event breaks its contract.
        raise msgspec.ValidationError(f"{type_}: its upcaster failed: {error!r}") from error
    return event
