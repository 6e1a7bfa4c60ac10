"""docs/reference is what the code says, and the AsyncAPI document is valid.

The rules of AsyncAPI 3.0 that are checked here need no network: what must be there, what a key may
be, where each $ref leads.
"""

import json
import re
from io import StringIO
from typing import Any, get_args

import pytest
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


@pytest.mark.parametrize("name", sorted(PAGES))
def test_is_what_the_code_says(name):
    assert (DIRECTORY / name).read_text() == PAGES[name](), "stale: run make reference"


def test_nothing_else_is_there():
    assert {path.name for path in DIRECTORY.iterdir()} == set(PAGES)


def test_the_command_describes_the_same():
    out = StringIO()
    call_command("events", "describe", stdout=out)
    said = json.loads(out.getvalue())
    said["channels"]["log"]["bindings"]["amqp"]["exchange"]["name"] = topology.exchange("marquee")
    assert said == DOCUMENT


def test_every_setting_is_told():
    names = re.findall(
        r"^\| `MARQUEE_(\w+)` \|", (DIRECTORY / "settings.md").read_text(), re.MULTILINE
    )
    assert names == [field.encode_name for field in fields(Config)]


def test_every_metric_is_told():
    names = re.findall(r"^\| `(\w+)` \|", (DIRECTORY / "metrics.md").read_text(), re.MULTILINE)
    assert names == [
        name for kind in (CounterName, HistogramName, GaugeName) for name in get_args(kind)
    ]


def test_has_what_an_asyncapi_document_must_have():
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    allowed = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations"}
    assert DOCUMENT.keys() <= allowed | {"components"}
    for kind in DOCUMENT["components"].values():
        assert all(KEY.fullmatch(name) for name in kind)


def test_every_reference_leads_somewhere():
    refs = list(references(DOCUMENT))
    assert refs
    for ref in refs:
        assert isinstance(found(ref), dict), ref


def test_a_channel_explains_its_address():
    for channel in DOCUMENT["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == channel["parameters"].keys()
        for parameter in channel["parameters"].values():
            assert parameter.keys() <= {"enum", "default", "description", "examples", "location"}


def test_an_operation_sends_messages_of_its_channel():
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        sent = [message["$ref"] for message in operation["messages"]]
        assert sent == [f"{channel}/messages/{tag}" for tag in TAGS]


def test_there_is_a_message_for_every_event_and_no_other():
    assert list(DOCUMENT["components"]["messages"]) == TAGS


@pytest.mark.parametrize("tag", TAGS)
def test_a_message_is_described_and_its_example_fits(tag):
    message = DOCUMENT["components"]["messages"][tag]
    assert len(message["summary"]) > 10
    assert message["contentType"] == "application/cloudevents+json"
    [example] = message["examples"]
    payload = DOCUMENT | {"$ref": f"#/components/messages/{tag}/payload"}
    Draft202012Validator.check_schema(payload)
    fits = Draft202012Validator(payload, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert list(fits.iter_errors(example["payload"])) == []
    assert not fits.is_valid(example["payload"] | {"type": "something-else.v1"})
    assert not fits.is_valid({"data": example["payload"]["data"]})
    recorded = codec.from_wire(json.dumps(example["payload"]).encode())
    assert codec.type_of(recorded.event) == tag


def test_sealed_fields_are_said_to_be():
    schemas = DOCUMENT["components"]["schemas"]
    sealed = {
        (name, field)
        for name, schema in schemas.items()
        for field, said in schema["properties"].items()
        if said.get("description", "").startswith("Encrypted")
    }
    assert sealed == {
        ("UserRegistered", "username"),
        ("UserRegistered", "email"),
        ("PlaylistCreated", "name"),
        ("PlaylistCreated", "description"),
        ("PlaylistRenamed", "name"),
        ("PlaylistDescribed", "description"),
    }


def test_what_upcasters_lead_from_is_no_event_of_today():
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


def found(ref: str) -> Any:
    root, *parts = ref.split("/")
    assert root == "#"
    here: Any = DOCUMENT
    for part in parts:
        here = here[part]
    return here
