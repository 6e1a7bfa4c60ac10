"""A known bug: the changed code and the tests that must fail.

A file in ``bugs/`` has a description, the text to find, its replacement, the tests that must fail,
and the role in which they run.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

BUGS = Path(__file__).parent / "bugs"


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text of one file and its replacement."""

    file: str
    find: str
    put: str


class Bug(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bug, as read from its file."""

    bug: str
    """What is wrong, in one line."""
    tests: list[str]
    """``path::name`` or ``path::Class::name``; of a parametrised test, any case counts."""
    change: list[Change]
    role: Literal["command", "query", "ops"] = "ops"


class Stale(Exception):
    """The text to replace is not in the code any more: update the bug's file or delete it."""


def names() -> Sequence[str]:
    """All bugs, by file name."""
    return sorted(path.stem for path in BUGS.glob("*.toml"))


def read(name: str) -> Bug:
    """Read a bug by its name."""
    return msgspec.toml.decode((BUGS / f"{name}.toml").read_bytes(), type=Bug)


def apply(bug: Bug, root: Path) -> None:
    """Apply the bug to the tree at ``root``; raises Stale and then changes nothing."""
    contents: dict[Path, str] = {}
    for change in bug.change:
        path = root / change.file
        before = contents.get(path) or path.read_text()
        if before.count(change.find) != 1:
            occurrences = before.count(change.find)
            raise Stale(f"{bug.bug}: found {occurrences} times in {change.file}:\n{change.find}")
        contents[path] = before.replace(change.find, change.put)
    for path, content in contents.items():
        path.write_text(content)
