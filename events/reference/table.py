"""Which events are there? As a page for people, made from the events' types."""

from typing import Any

from events.reference.asyncapi import EVENTS, document, told

_BEGINNING = """\
# Events

What can happen. An event stands in the log as JSON under its type, and travels on the bus and in
archives as a CloudEvent; [`events.asyncapi.json`](events.asyncapi.json) is the same for programs,
with the envelope and an example of each. Made from [`events/catalogue/`](../../events/catalogue/)
by `make reference`.

| type | what happened | its data |
|---|---|---|
"""


def page() -> str:
    """The page in Markdown."""
    schemas = document({})["components"]["schemas"]
    rows = [
        f"| `{tag}` | {told(event)} | {_fields(schemas[event.__name__])} |\n"
        for tag, event in EVENTS.items()
    ]
    return _BEGINNING + "".join(rows)


def _fields(schema: dict[str, Any]) -> str:
    """Names in order; those that may be missing with a question mark."""
    return ", ".join(
        f"`{name}`" if name in schema["required"] else f"`{name}`?"
        for name in schema["properties"]
        if name != "type"
    )
