"""Progress view: progress, rate and the lag of live models, as bars or as lines on stderr."""

import sys
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from projectors.generations.live import Live
from projectors.rebuild.backpressure import behind_seconds

_QUIET_SECONDS = 5.0


class ProgressView:
    """Bars on a terminal, elsewhere a line every few seconds; both on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[lag]}"),
            console=self._console,
            disable=not sys.stderr.isatty(),
        )
        self._live: Live | None = None
        self._names: Sequence[str] = ()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def watch(self, live: Live, names: Sequence[str]) -> None:
        """Show how far these live models are behind."""
        self._live = live
        self._names = names

    def begin(self, what: str, *, total: int | None) -> "ProgressStep":
        """Begin a step with its number of events or keys (None: unknown)."""
        return ProgressStep(self, self._bars, what, total)

    def lag(self) -> str:
        """The lag of the live model furthest behind, in words."""
        if self._live is None:
            return ""
        return f"live {behind_seconds(self._live, self._names):.1f} s behind"

    def say(self, line: str) -> None:
        """Print a line where there are no bars."""
        if self._bars.disable:
            self._console.print(line, highlight=False)


class ProgressStep:
    """One bar."""

    def __init__(self, screen: ProgressView, bars: Progress, what: str, total: int | None) -> None:
        self._screen = screen
        self._bars = bars
        self._what = what
        self._total = total
        self._done = 0
        self._first: int | None = None
        self._began = self._printed_at = monotonic()
        self._task = bars.add_task(what, total=total, rate="", lag="")

    def reach(self, done: int) -> None:
        """Set how much is done."""
        self._first = done if self._first is None else self._first
        self._done = done
        self._show()

    def advance(self, amount: int) -> None:
        """Add to what is done."""
        self.reach(self._done + amount)

    def missing(self, amount: int) -> None:
        """Set how much is left to do."""
        self._total = max(self._total or 0, amount)
        self.reach(self._total - amount)

    def end(self) -> None:
        """End the step."""
        if self._total is not None:
            self.reach(self._total)
        self._screen.say(f"{self._what}: done, {self._done:,} in {self._seconds:.1f} s")

    @property
    def _seconds(self) -> float:
        return monotonic() - self._began

    def _show(self) -> None:
        rate = (self._done - (self._first or 0)) / max(self._seconds, 0.001)
        words = f"{rate:,.0f}/s"
        lag = self._screen.lag()
        self._bars.update(self._task, completed=self._done, total=self._total, rate=words, lag=lag)
        if monotonic() - self._printed_at >= _QUIET_SECONDS:
            self._printed_at = monotonic()
            of = "" if self._total is None else f" of {self._total:,}"
            self._screen.say(f"{self._what}: {self._done:,}{of}, {words}, {lag}")
