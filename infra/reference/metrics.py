"""Reference page of the metrics, made from ``infra.observability``."""

import inspect
import re

from infra import observability

_INTRODUCTION = """\
# Metrics

The metrics of `/metrics` on `MARQUEE_METRICS_PORT`; which of them a process has depends on its
role. Made from [`infra/observability.py`](../../infra/observability.py) by `make reference`.

| metric | kind | meaning |
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
    return _INTRODUCTION + "".join(rows)


def _sentence(comment: str) -> str:
    return " ".join(line.strip().removeprefix("#").strip() for line in comment.splitlines())
