"""Can every event that was ever released still be read?

A file for each tag, with lines as logs have them. What a released file says is never changed; a new
version is a new file, and an upcaster for the one before it.
"""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from events import codec
from events.catalogue import AnyEvent
from events.upcasters import UPCASTERS

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"
CURRENT = {str(event.__struct_config__.tag) for event in get_args(AnyEvent)}
FILES = sorted(GOLDEN.glob("*.jsonl"))


def lines(tag: str) -> list[str]:
    return (GOLDEN / f"{tag}.jsonl").read_text().splitlines()


@pytest.mark.parametrize("tag", sorted(CURRENT | UPCASTERS.keys()))
def test_has_a_golden_log(tag):
    found = lines(tag)
    assert len(found) >= 2
    assert {msgspec.json.decode(line)["type"] for line in found} == {tag}


@pytest.mark.parametrize("tag", [file.stem for file in FILES])
def test_is_read_as_what_there_is_today(tag):
    for line in lines(tag):
        assert codec.type_of(codec.decode(tag, line)) in CURRENT


@pytest.mark.parametrize("tag", [file.stem for file in FILES if file.stem in CURRENT])
def test_is_still_written_so(tag):
    for line in lines(tag):
        assert codec.encode(codec.decode(tag, line)) == line


@pytest.mark.parametrize("tag", [file.stem for file in FILES])
def test_what_a_later_version_adds_is_not_refused(tag):
    for line in lines(tag):
        later = msgspec.json.decode(line) | {"added_by_a_later_version": 1}
        codec.decode(tag, msgspec.json.encode(later))
