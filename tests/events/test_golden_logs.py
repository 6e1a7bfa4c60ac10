"""Golden logs: every event ever released decodes as it always did.

A file for each tag has lines as a log stores them; the file beside it has their decoded form: the
current tag, and each field as Python prints it. A released file never changes. A new version needs
a new file and an upcaster for the previous one; a new field with a default needs neither.
"""

from typing import get_args

import msgspec
import pytest
from msgspec import NODEFAULT
from msgspec.structs import asdict, fields

from events import codec
from events.catalogue import AnyEvent, MovieRated
from events.event import Event
from events.reference import examples
from events.upcasters import UPCASTERS

GOLDEN = examples.GOLDEN
CURRENT = {str(event.__struct_config__.tag): event for event in get_args(AnyEvent)}
RELEASED = sorted(file.stem for file in GOLDEN.glob("*.jsonl"))


def lines(tag: str) -> list[str]:
    return (GOLDEN / f"{tag}.jsonl").read_text().splitlines()


def decoded_fields(event: AnyEvent) -> dict[str, str]:
    return {"type": codec.encode(event)[0]} | {
        name: repr(value) for name, value in asdict(event).items()
    }


@pytest.mark.parametrize("tag", sorted(CURRENT.keys() | UPCASTERS.keys()))
def test_every_event_type_has_a_golden_log(tag):
    assert tag in RELEASED, f"{tag} needs lines in events/reference/golden/{tag}.jsonl"
    released_lines = lines(tag)
    assert len(released_lines) >= 2
    assert {msgspec.json.decode(line)["type"] for line in released_lines} == {tag}


@pytest.mark.parametrize("tag", RELEASED)
def test_golden_log_decodes_as_it_always_did(tag):
    snapshot_path = GOLDEN / f"{tag}.read.json"
    decoded = [decoded_fields(codec.decode(tag, line)) for line in lines(tag)]
    assert snapshot_path.exists(), (
        f"{snapshot_path.name} should contain {msgspec.json.encode(decoded).decode()}"
    )
    expected = msgspec.json.decode(snapshot_path.read_bytes())
    for now, before in zip(decoded, expected, strict=True):
        assert now["type"] in CURRENT
        assert {name: now.get(name) for name in before} == before
        added = now.keys() - before.keys()
        assert all(now[name] == default_of(now["type"], name) for name in added)


@pytest.mark.parametrize("tag", [tag for tag in RELEASED if tag in CURRENT])
def test_golden_log_is_encoded_unchanged(tag):
    for line in lines(tag):
        written = msgspec.json.decode(codec.encode(codec.decode(tag, line))[1])
        before = msgspec.json.decode(line)
        assert {name: written.get(name) for name in before} == before
        assert list(written)[: len(before)] == list(before)


@pytest.mark.parametrize("tag", RELEASED)
def test_unknown_field_is_ignored(tag):
    for line in lines(tag):
        later = msgspec.json.decode(line) | {"added_by_a_later_version": 1}
        codec.decode(tag, msgspec.json.encode(later))


@pytest.mark.parametrize("tag", sorted(CURRENT))
def test_field_with_default_may_be_missing(tag):
    with_default = [
        field.name for field in fields(CURRENT[tag]) if default_of(tag, field.name) is not None
    ]
    for line in lines(tag):
        event_fields = msgspec.json.decode(line)
        less = {name: value for name, value in event_fields.items() if name not in with_default}
        event = codec.decode(tag, msgspec.json.encode(less))
        for name in with_default:
            assert repr(getattr(event, name)) == default_of(tag, name)


def test_field_with_default_may_be_added_to_an_event():
    class Later(Event, frozen=True, kw_only=True, tag="movie-rated.v1"):
        user_id: str
        movie_id: int
        score: int
        previous: int | None = None
        device: str = "unknown"

    for line in lines("movie-rated.v1"):
        before = codec.decode("movie-rated.v1", line)
        now = msgspec.json.decode(line, type=Later)
        assert isinstance(before, MovieRated)
        assert (now.score, now.previous) == (before.score, before.previous)
        assert now.device == "unknown"


def default_of(tag: str, name: str) -> str | None:
    """The default of an event's field as Python prints it; None if it has none."""
    [field] = [field for field in fields(CURRENT[tag]) if field.name == name]
    if field.default_factory is not NODEFAULT:
        return repr(field.default_factory())
    return None if field.default is NODEFAULT else repr(field.default)
