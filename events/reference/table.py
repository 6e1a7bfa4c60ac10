"""Reference page of the events in Markdown, made from the event types."""

from typing import Any

from events.reference.asyncapi import EVENTS, document, summary

_INTRODUCTION = """\
# Events

All event types. The log stores an event as JSON with its type; bus and archives carry it as a
CloudEvent; [`events.asyncapi.json`](events.asyncapi.json) is the same for programs,
with the envelope and an example of each. Made from [`events/catalogue/`](../../events/catalogue/)
by `make reference`.

| type | what happened | data |
|---|---|---|
"""


def page() -> str:
    """The page in Markdown."""
    schemas = document({})["components"]["schemas"]
    rows = [
        f"| `{tag}` | {summary(event)} | {_fields(schemas[event.__name__])} |\n"
        for tag, event in EVENTS.items()
    ]
    return _INTRODUCTION + "".join(rows)


def _fields(schema: dict[str, Any]) -> str:
    """Field names in order; optional ones with a question mark."""
    return ", ".join(
        f"`{name}`" if name in schema["required"] else f"`{name}`?"
        for name in schema["properties"]
        if name != "type"
    )
