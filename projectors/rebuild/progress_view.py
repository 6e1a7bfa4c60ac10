"""Progress view: progress, rate and the lag of live models, as bars or as lines on stderr."""

import sys
from collections.abc import Callable, Sequence
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from projectors.generations.live import Live
from projectors.rebuild.backpressure import behind_seconds

_QUIET_SECONDS = 5.0


class ProgressView(Progress):
    """Bars on a terminal, elsewhere a line every few seconds; both on stderr."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[lag]}"),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self.lag: Callable[[], str] = lambda: ""
        """The lag of the live model furthest behind, in words."""

    def watch(self, live: Live, names: Sequence[str]) -> None:
        """Show how far these live models are behind."""
        self.lag = lambda: f"live {behind_seconds(live, names):.1f} s behind"

    def begin(self, what: str, *, total: int | None) -> "ProgressStep":
        """Begin a step with its number of events or keys (None: unknown)."""
        return ProgressStep(self, what, total)

    def say(self, line: str) -> None:
        """Print a line where there are no bars."""
        if self.disable:
            self.console.print(line, highlight=False)


class ProgressStep:
    def __init__(self, screen: ProgressView, what: str, total: int | None) -> None:
        self._screen = screen
        self._what = what
        self._total = total
        self._done = 0
        self._first: int | None = None
        self._began = self._printed_at = monotonic()
        self._task = screen.add_task(what, total=total, rate="", lag="")

    def reach(self, done: int) -> None:
        self._first = done if self._first is None else self._first
        self._done = done
        rate = f"{(done - self._first) / max(monotonic() - self._began, 0.001):,.0f}/s"
        lag = self._screen.lag()
        self._screen.update(self._task, completed=done, total=self._total, rate=rate, lag=lag)
        if monotonic() - self._printed_at >= _QUIET_SECONDS:
            self._printed_at = monotonic()
            of = "" if self._total is None else f" of {self._total:,}"
            self._screen.say(f"{self._what}: {done:,}{of}, {rate}, {lag}")

    def advance(self, amount: int) -> None:
        self.reach(self._done + amount)

    def missing(self, amount: int) -> None:
        """Set how much is left to do."""
        self._total = max(self._total or 0, amount)
        self.reach(self._total - amount)

    def end(self) -> None:
        if self._total is not None:
            self.reach(self._total)
        seconds = monotonic() - self._began
        self._screen.say(f"{self._what}: done, {self._done:,} in {seconds:.1f} s")
