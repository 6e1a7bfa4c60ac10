"""guarantees.md: every promise names tests that exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| (?!promise|---)(.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

ROWS = _ROW.findall((HOME / "docs" / "guarantees.md").read_text())


def test_every_promise_names_existing_tests():
    wrong = {row: faults for row in ROWS if (faults := list(faults_of(row)))}
    assert wrong == {}


def faults_of(row: str) -> Iterator[str]:
    promise, _, named = row.rpartition(" | ")
    tests = _TEST.findall(named)
    if not promise or not tests:
        yield "it names no test"
    for path, name in tests:
        if name not in functions(HOME / path):
            yield f"{path} has no {name}"


def test_promises_are_found():
    assert len(ROWS) > 30


@cache
def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
