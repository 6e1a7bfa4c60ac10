"""AsyncAPI 3.0 document of the bus, made from the event types."""

from collections.abc import Mapping
from inspect import getdoc
from typing import Any, get_args

import msgspec

from events.bus import topology
from events.catalogue import AnyEvent
from events.catalogue.accounts import EncryptedField
from events.cloudevent import CONTENT_TYPE, SOURCE, CloudEvent
from events.reference import examples

EVENTS: Mapping[str, type[AnyEvent]] = {
    str(event.__struct_config__.tag): event for event in get_args(AnyEvent)
}

_CHANNEL = "log"
_SCHEMAS = "#/components/schemas/"
_DESCRIPTION = (
    "All events, in the order in which they happened within each partition. Messages are"
    " CloudEvents 1.0 in JSON, one event each. A message may be delivered twice, or lost with its"
    " queue: partition and offset tell, and the log has all events. A field may be added to an"
    " event at any time; a breaking change is a new version with another type."
)
_ENCRYPTED = (
    "Encrypted with the key of the person it is about: base64 of nonce and AES-GCM ciphertext."
    " It can be read only with the key, and never again once that is destroyed."
)


def document(golden: Mapping[str, str], *, namespace: str = "marquee") -> dict[str, Any]:
    """Build the document, with an example of each event that ``golden`` has a line of."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Marquee: the events",
            "version": "1.0.0",
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {_CHANNEL: _channel(namespace)},
        "operations": {
            "publish": {
                "action": "send",
                "summary": "The relay publishes each event of the log.",
                "channel": {"$ref": f"#/channels/{_CHANNEL}"},
                "messages": [{"$ref": f"#/channels/{_CHANNEL}/messages/{tag}"} for tag in EVENTS],
            }
        },
        "components": {
            "messages": {tag: _message(tag, golden.get(tag)) for tag in EVENTS},
            "schemas": _schemas(),
        },
    }


def _channel(namespace: str) -> dict[str, Any]:
    return {
        "address": topology.routing_key("{partition}", "{type}"),
        "title": "The log of events",
        "description": "Bind a queue with 7.# for all of partition 7, or *.movie-rated.# for all"
        " ratings whatever their version.",
        "messages": {tag: {"$ref": f"#/components/messages/{tag}"} for tag in EVENTS},
        "parameters": {
            "partition": {
                "description": "A number from 0; the log has a fixed number of partitions."
            },
            "type": {"description": "The event's type, with its version.", "enum": list(EVENTS)},
        },
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": topology.exchange(namespace),
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                },
                "bindingVersion": "0.3.0",
            }
        },
    }


def _message(tag: str, line: str | None) -> dict[str, Any]:
    event = EVENTS[tag]
    document: dict[str, Any] = {
        "name": tag,
        "title": event.__name__,
        "summary": summary(event),
        "contentType": CONTENT_TYPE,
        "correlationId": {
            "description": "The request that it all began with.",
            "location": "$message.payload#/correlationid",
        },
        "payload": {
            "allOf": [
                {"$ref": f"{_SCHEMAS}{CloudEvent.__name__}"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": tag},
                        "data": {"$ref": f"{_SCHEMAS}{event.__name__}"},
                    },
                },
            ]
        },
    }
    if line is not None:
        payload = msgspec.json.decode(examples.message(tag, line))
        document["examples"] = [{"name": event.__name__, "payload": payload}]
    return document


def summary(event: type[AnyEvent]) -> str:
    """An event's docstring on one line."""
    return " ".join((getdoc(event) or "").split())


def _schemas() -> dict[str, Any]:
    structs: list[type[msgspec.Struct]] = [CloudEvent, *EVENTS.values()]
    _, schemas = msgspec.json.schema_components(structs, ref_template=_SCHEMAS + "{name}")
    for struct in structs:
        properties = schemas[struct.__name__]["properties"]
        for field in msgspec.structs.fields(struct):
            if EncryptedField in (field.type, *get_args(field.type)):
                properties[field.encode_name]["description"] = _ENCRYPTED
    schemas[CloudEvent.__name__]["properties"]["source"]["const"] = SOURCE
    return schemas
