"""Reporter: prints each step of the tour with its results and its duration."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class TourFailed(Exception):
    """A step failed; the message says how."""


class Narration:
    """Prints the steps while they run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._steps = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print a step's title before it, and its duration after it."""
        self._steps += 1
        self._console.print(f"\n[bold]{self._steps}. {escape(title)}[/bold]")
        began = time.monotonic()
        yield
        self._console.print(f"   [green]done[/green] in {_duration(time.monotonic() - began)}")

    def say(self, line: str) -> None:
        """Print a line of the step's result."""
        self._console.print(f"   {escape(line)}", soft_wrap=True, highlight=False)

    def items(self, lines: Sequence[str]) -> None:
        """Print a numbered list."""
        for nth, line in enumerate(lines, start=1):
            self.say(f"{nth:>3}. {line}")

    def end(self) -> None:
        """Print that all steps succeeded."""
        took = _duration(time.monotonic() - self._began)
        self._console.print(f"\n[bold green]All {self._steps} steps succeeded[/], {took}.")

    def fail(self, why: str) -> None:
        """Print why the tour ended at the current step."""
        self._console.print(f"\n[bold red]Step {self._steps} failed:[/] {escape(why)}")


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
