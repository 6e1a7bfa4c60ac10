"""Reporter: prints each step of the tour with its results and its duration."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class TourFailed(Exception):
    """A step did not do what it should; the message says what it did instead."""


class Narration:
    """Tells the steps as they happen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._steps = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: its title before, its time after."""
        self._steps += 1
        self._console.print(f"\n[bold]{self._steps}. {escape(title)}[/bold]")
        began = time.monotonic()
        yield
        self._console.print(f"   [green]done[/green] in {_duration(time.monotonic() - began)}")

    def say(self, line: str) -> None:
        """One line of what a step shows."""
        self._console.print(f"   {escape(line)}", soft_wrap=True, highlight=False)

    def items(self, lines: Sequence[str]) -> None:
        """A numbered list."""
        for nth, line in enumerate(lines, start=1):
            self.say(f"{nth:>3}. {line}")

    def end(self) -> None:
        """All steps did what they should."""
        took = _duration(time.monotonic() - self._began)
        self._console.print(
            f"\n[bold green]All {self._steps} steps did what they should[/], {took}."
        )

    def fail(self, why: str) -> None:
        """The tour ends here."""
        self._console.print(f"\n[bold red]Step {self._steps} failed:[/] {escape(why)}")


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
