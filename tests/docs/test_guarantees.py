"""Does every promise name tests that exist?"""

import ast
import re
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| (?!promise|---)(.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

ROWS = _ROW.findall((HOME / "docs" / "guarantees.md").read_text())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split(" | ")[0][:60])
def test_a_promise_names_tests_that_are_there(row):
    promise, _, named = row.rpartition(" | ")
    found = _TEST.findall(named)
    assert promise
    assert found, "it names no test"
    for path, name in found:
        assert name in functions(HOME / path), f"{path} has no {name}"


def test_there_are_promises():
    assert len(ROWS) > 30


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
