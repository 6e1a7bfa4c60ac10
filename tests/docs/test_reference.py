"""docs/reference equals what the code generates, and the AsyncAPI document is valid.

The rules of AsyncAPI 3.0 are checked without a network: required fields, allowed keys, and the
target of each $ref.
"""

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any, get_args

from django.core.management import call_command
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from msgspec.structs import fields

from events import codec
from events.bus import topology
from events.catalogue import AnyEvent
from events.management.commands.reference import DIRECTORY, PAGES
from events.upcasters import UPCASTERS
from infra.config import Config
from infra.observability import CounterName, GaugeName, HistogramName

DOCUMENT: dict[str, Any] = json.loads((DIRECTORY / "events.asyncapi.json").read_text())
TAGS = [str(event.__struct_config__.tag) for event in get_args(AnyEvent)]
KEY = re.compile(r"[a-zA-Z0-9._-]+")


def test_reference_pages_are_current():
    stale = [name for name, page in PAGES.items() if (DIRECTORY / name).read_text() != page()]
    assert stale == [], "run make reference"


def test_reference_has_no_other_pages():
    assert {path.name for path in DIRECTORY.iterdir()} == set(PAGES)


def test_events_describe_prints_the_asyncapi_document():
    out = StringIO()
    call_command("events", "describe", stdout=out)
    printed = json.loads(out.getvalue())
    exchange = printed["channels"]["log"]["bindings"]["amqp"]["exchange"]
    exchange["name"] = topology.exchange("marquee")
    assert printed == DOCUMENT


def test_settings_page_lists_every_setting():
    names = re.findall(
        r"^\| `MARQUEE_(\w+)` \|", (DIRECTORY / "settings.md").read_text(), re.MULTILINE
    )
    assert names == [field.encode_name for field in fields(Config)]


def test_metrics_page_lists_every_metric():
    names = re.findall(r"^\| `(\w+)` \|", (DIRECTORY / "metrics.md").read_text(), re.MULTILINE)
    assert names == [
        name for kind in (CounterName, HistogramName, GaugeName) for name in get_args(kind)
    ]


def test_asyncapi_document_has_the_required_members():
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    allowed = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations"}
    assert DOCUMENT.keys() <= allowed | {"components"}
    for kind in DOCUMENT["components"].values():
        assert all(KEY.fullmatch(name) for name in kind)


def test_every_ref_resolves_to_an_object():
    refs = list(references(DOCUMENT))
    assert refs
    for ref in refs:
        assert isinstance(resolve(ref), dict), ref


def test_channel_declares_the_parameters_of_its_address():
    for channel in DOCUMENT["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == channel["parameters"].keys()
        for parameter in channel["parameters"].values():
            assert parameter.keys() <= {"enum", "default", "description", "examples", "location"}


def test_operation_sends_the_messages_of_its_channel():
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        sent = [message["$ref"] for message in operation["messages"]]
        assert sent == [f"{channel}/messages/{tag}" for tag in TAGS]


def test_asyncapi_messages_are_the_event_types():
    assert list(DOCUMENT["components"]["messages"]) == TAGS


def test_every_message_has_a_summary_and_a_valid_example():
    faults = {tag: list(message_faults(tag)) for tag in TAGS}
    assert {tag: messages for tag, messages in faults.items() if messages} == {}


def message_faults(tag: str) -> Iterator[str]:
    message = DOCUMENT["components"]["messages"][tag]
    if len(message["summary"]) <= 10:
        yield "no summary"
    if message["contentType"] != "application/cloudevents+json":
        yield f"content type {message['contentType']}"
    [example] = message["examples"]
    payload = DOCUMENT | {"$ref": f"#/components/messages/{tag}/payload"}
    Draft202012Validator.check_schema(payload)
    schema = Draft202012Validator(payload, format_checker=Draft202012Validator.FORMAT_CHECKER)
    yield from (error.message for error in schema.iter_errors(example["payload"]))
    if schema.is_valid(example["payload"] | {"type": "something-else.v1"}):
        yield "another type is valid, too"
    if schema.is_valid({"data": example["payload"]["data"]}):
        yield "an envelope without its members is valid, too"
    recorded = codec.from_wire(json.dumps(example["payload"]).encode())
    if codec.encode(recorded.event)[0] != tag:
        yield f"its example is decoded as {type(recorded.event).__name__}"


def test_encrypted_fields_are_described_as_encrypted():
    schemas = DOCUMENT["components"]["schemas"]
    encrypted = {
        (name, field)
        for name, schema in schemas.items()
        for field, description in schema["properties"].items()
        if description.get("description", "").startswith("Encrypted")
    }
    assert encrypted == {
        ("UserRegistered", "username"),
        ("UserRegistered", "email"),
        ("PlaylistCreated", "name"),
        ("PlaylistCreated", "description"),
        ("PlaylistRenamed", "name"),
        ("PlaylistDescribed", "description"),
    }


def test_upcasters_start_from_retired_event_types_only():
    assert not UPCASTERS.keys() & set(TAGS)


def references(node: Any) -> Any:
    match node:
        case {"$ref": ref}:
            yield ref
        case dict():
            for value in node.values():
                yield from references(value)
        case list():
            for value in node:
                yield from references(value)
        case _:
            return


def resolve(ref: str) -> Any:
    root, *parts = ref.split("/")
    assert root == "#"
    node: Any = DOCUMENT
    for part in parts:
        node = node[part]
    return node
