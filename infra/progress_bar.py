"""Progress of long commands: a bar on a terminal, elsewhere a line every few seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import Progress

Advance: TypeAlias = Callable[[int], None]
ProgressReporter: TypeAlias = Callable[[str, int], AbstractContextManager[Advance]]
"""Shows the progress of a step of ``total`` items, as ``progress`` does."""

_QUIET_SECONDS = 5.0


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Show progress on stderr; yields a function to advance it. No bar if there are no items."""
    if total and sys.stderr.isatty():
        yield from _bar(what, total)
    else:
        yield _lines(what, total)


@contextmanager
def no_progress(_what: str, _total: int) -> Iterator[Advance]:
    """Show nothing."""
    yield lambda _: None


def _bar(what: str, total: int) -> Iterator[Advance]:
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda amount: bar.advance(task, amount)


def _lines(what: str, total: int) -> Advance:
    done, shown_at = 0, time.monotonic()

    def advance(amount: int) -> None:
        nonlocal done, shown_at
        done += amount
        if time.monotonic() - shown_at >= _QUIET_SECONDS:
            shown_at = time.monotonic()
            sys.stderr.write(f"{what}: {done * 100 // max(total, 1)}%\n")
            sys.stderr.flush()

    return advance
