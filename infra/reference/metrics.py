"""Which metrics are there? As a page for people, made from ``infra.observability``."""

import inspect
import re

from infra import observability

_BEGINNING = """\
# Metrics

What `/metrics` of a process may tell; which of them it does depends on what the process is. Made
from [`infra/observability.py`](../../infra/observability.py) by `make reference`.

| metric | kind | what it tells |
|---|---|---|
"""
_KINDS = {"CounterName": "counter", "HistogramName": "histogram", "GaugeName": "gauge"}
_NAMES = re.compile(r"^(\w+): TypeAlias = Literal\[\n(.*?)^\]", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r'((?: *#.*\n)+) *"(\w+)",')


def page() -> str:
    """The page in Markdown."""
    rows = [
        f"| `{name}` | {_KINDS[kind]} | {_sentence(comment)} |\n"
        for kind, names in _NAMES.findall(inspect.getsource(observability))
        for comment, name in _NAME.findall(names)
    ]
    return _BEGINNING + "".join(rows)


def _sentence(comment: str) -> str:
    return " ".join(line.strip().removeprefix("#").strip() for line in comment.splitlines())
