"""What may others expect of the bus? As an AsyncAPI 3.0 document, made from the events' types."""

from collections.abc import Mapping
from inspect import getdoc
from typing import Any, get_args

import msgspec

from events.bus import topology
from events.catalogue import AnyEvent
from events.catalogue.accounts import EncryptedField
from events.cloudevent import CONTENT_TYPE, SOURCE, CloudEvent
from events.reference import examples
from infra.reference import field_docs

EVENTS: Mapping[str, type[AnyEvent]] = {
    str(event.__struct_config__.tag): event for event in get_args(AnyEvent)
}

_CHANNEL = "log"
_SCHEMAS = "#/components/schemas/"
_ABOUT = (
    "Everything that happened, in the order in which it happened within each partition."
    " Messages are CloudEvents 1.0 in JSON, one event each. A message may come twice, and may be"
    " lost with its queue: its partition and offset tell, and the log has all of them."
    " A field may be added to an event at any time; what would break a reader is a new version"
    " with another type."
)
_SEALED = (
    "Sealed with the key of the person it is about: base64 of nonce and AES-GCM ciphertext."
    " It can be read only with the key, and never again once that is destroyed."
)


def document(golden: Mapping[str, str], *, namespace: str = "marquee") -> dict[str, Any]:
    """The whole document, with an example of each event that ``golden`` has a line of."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Marquee: the events",
            "version": "1.0.0",
            "description": _ABOUT,
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
            "partition": {"description": "A number from 0; how many there are is the log's own."},
            "type": {"description": "What happened, with its version.", "enum": list(EVENTS)},
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
    said: dict[str, Any] = {
        "name": tag,
        "title": event.__name__,
        "summary": told(event),
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
        said["examples"] = [{"name": event.__name__, "payload": payload}]
    return said


def told(event: type[AnyEvent]) -> str:
    """What an event means, as its docstring says."""
    return " ".join((getdoc(event) or "").split())


def _schemas() -> dict[str, Any]:
    kinds: list[type[msgspec.Struct]] = [CloudEvent, *EVENTS.values()]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS + "{name}")
    for kind in kinds:
        properties = schemas[kind.__name__]["properties"]
        for name, text in field_docs.fields(kind).items():
            properties[name]["description"] = text.replace("``", "")
        for field in msgspec.structs.fields(kind):
            if EncryptedField in (field.type, *get_args(field.type)):
                properties[field.encode_name]["description"] = _SEALED
    schemas[CloudEvent.__name__]["properties"]["source"]["const"] = SOURCE
    return schemas
