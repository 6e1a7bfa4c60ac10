"""How is an event written, and read again?

In the log: the event's own JSON, tag included. On the bus: a CloudEvent, one event a message.
Whatever is read passes through ``decode``, so an upcaster reaches every reader.
"""

from typing import Any

import msgspec

from events import cloudevent
from events.catalogue import AnyEvent
from events.recorded import Recorded, Stored
from events.upcasters import UPCASTERS, upcast

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)

to_wire = cloudevent.wrap
"""The message of a stored event; its data goes through undecoded."""


def encode(event: AnyEvent) -> str:
    """The event as the log keeps it."""
    return _encoder.encode(event).decode()


def decode(type_: str, data: bytes | str) -> AnyEvent:
    """The event that was stored; raises msgspec.MsgspecError when it breaks its contract."""
    if type_ in UPCASTERS:
        return _upcast(type_, data)
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


def from_wire(message: bytes) -> Recorded:
    """The event that a message carries; raises msgspec.ValidationError for anything else."""
    return decode_stored(cloudevent.unwrap(message))


def _upcast(type_: str, data: bytes | str) -> AnyEvent:
    stored = msgspec.json.decode(data, type=dict[str, Any])
    try:
        event: AnyEvent = msgspec.convert(upcast(stored), AnyEvent)
    except (LookupError, TypeError, AttributeError) as error:
        # The upcaster looked for what is not there: to its readers, this is no such event.
        raise msgspec.ValidationError(f"{type_}: its upcaster failed: {error!r}") from error
    return event
