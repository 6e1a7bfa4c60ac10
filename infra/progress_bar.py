"""How far has a long command come?"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

Advance: TypeAlias = Callable[[int], None]
ProgressReporter: TypeAlias = Callable[[str, int], AbstractContextManager[Advance]]
"""How a step of so many things shows how far it is."""

_QUIET_SECONDS = 5.0


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """A bar on a terminal, elsewhere a line every few seconds; both on stderr. None for nothing."""
    if total and sys.stderr.isatty():
        yield from _bar(what, total)
    else:
        yield _lines(what, total)


@contextmanager
def no_progress(_what: str, _total: int) -> Iterator[Advance]:
    """Nobody wants to know."""
    yield lambda _: None


def _bar(what: str, total: int) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda amount: bar.advance(task, amount)


def _lines(what: str, total: int) -> Advance:
    done, said = 0, time.monotonic()

    def advance(amount: int) -> None:
        nonlocal done, said
        done += amount
        if time.monotonic() - said >= _QUIET_SECONDS:
            said = time.monotonic()
            sys.stderr.write(f"{what}: {done * 100 // max(total, 1)}%\n")
            sys.stderr.flush()

    return advance
