"""Teeth: the bugs still apply, their tests exist, and a caught bug is reported."""

import ast
from pathlib import Path
from shutil import copytree

import pytest

from tests.teeth import biting
from tests.teeth.bug import Bug, Change, Stale, apply, names, read

WELL_KNOWN = {
    "cursor-before-confirm",
    "checkpoint-in-a-second-step",
    "checkpoint-not-compared",
    "nack-with-requeue",
    "unordered-poll",
}
BUG = "cursor-before-confirm"
CATCHING_TEST = (
    "tests/events/relay/test_confirms.py::test_cursor_stops_before_the_first_unconfirmed_event"
)


def test_teeth_include_the_bugs_that_lose_data():
    assert set(names()) >= WELL_KNOWN
    assert len(names()) >= 12


@pytest.mark.parametrize("name", names())
def test_every_bug_still_applies(name, tmp_path):
    bug = read(name)
    for change in bug.change:
        (tmp_path / change.file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / change.file).write_bytes((biting.ROOT / change.file).read_bytes())
    apply(bug, tmp_path)
    for change in bug.change:
        changed = (tmp_path / change.file).read_text()
        assert changed != (biting.ROOT / change.file).read_text()
        ast.parse(changed)


@pytest.mark.parametrize("name", names())
def test_tests_named_by_bugs_exist(name):
    bug = read(name)
    assert bug.tests
    for test in bug.tests:
        path, *inside = test.split("::")
        assert path.startswith({"ops": "tests/"}.get(bug.role, f"tests/{bug.role}_api/"))
        assert has(ast.parse((biting.ROOT / path).read_text()).body, inside), test


def has(body: list[ast.stmt], inside: list[str]) -> bool:
    """Whether there is such a function, or a class with such a method."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) if inside == [name]:
                return True
            case ast.ClassDef(name=name, body=methods) if inside[0] == name:
                return has(methods, inside[1:])
            case _:
                continue
    return False


@pytest.mark.parametrize("find", ["is not there", "e"])
def test_bug_whose_code_is_not_found_once_is_stale(find, tmp_path):
    (tmp_path / "x.py").write_text("here, there")
    with pytest.raises(Stale):
        apply(Bug("b", [], [Change("x.py", find, "")]), tmp_path)
    assert (tmp_path / "x.py").read_text() == "here, there"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy as much of the tree as the cheap test needs."""
    for part in ("events", "infra", "command_api", "projectors", "query_api", "tests"):
        copytree(biting.ROOT / part, tmp_path / "tree" / part)
    for name in ("pyproject.toml", "manage.py"):
        (tmp_path / "tree" / name).write_bytes((biting.ROOT / name).read_bytes())
    return tmp_path / "tree"


def test_bug_is_caught_and_removed_again(copy):
    bug = read(BUG)
    files = [copy / change.file for change in bug.change]
    before = [path.read_bytes() for path in files]
    result = biting.bite(Bug(bug.bug, [CATCHING_TEST], bug.change), copy)
    assert (result.caught_by, result.missed_by) == ([CATCHING_TEST], []), result.output
    assert result.is_caught
    assert [path.read_bytes() for path in files] == before


@pytest.mark.parametrize(
    "put",
    ["return self._taken[partition] if first is None else first - 1  # no bug", "return ("],
    ids=["no bug", "no Python"],
)
def test_unnoticed_bug_is_reported_as_not_caught(copy, put):
    [change] = read(BUG).change
    result = biting.bite(
        Bug("none", [CATCHING_TEST], [Change(change.file, change.find, put)]), copy
    )
    assert (result.is_caught, result.missed_by) == (False, [CATCHING_TEST])
