"""Progress view: progress, rate and lag, on a terminal and in lines."""

import sys
from io import StringIO

import pytest

from projectors.generations.live import Live
from projectors.rebuild import backpressure
from projectors.rebuild import progress_view as shown
from projectors.rebuild.progress_view import ProgressView

NOW = 1_000_000.0


class Clock:
    """Clock set by the test."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Levels(Live):
    """Live models that were level a given number of seconds ago."""

    def __init__(self, **behind: float) -> None:
        self._behind = behind

    def level_at(self, name: str) -> float | None:
        return NOW - self._behind[name]


class Terminal(StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(shown, "monotonic", clock)
    monkeypatch.setattr(backpressure, "time", lambda: NOW)
    return clock


def fill(screen: ProgressView, clock: Clock) -> None:
    """From 100 events, resumed, to 300 of 1,000 in twenty seconds."""
    screen.watch(Levels(trending=1.0, library=4.0), ["trending", "library"])
    step = screen.begin("filling", total=1000)
    for clock.now, done in ((0.0, 100), (10.0, 200), (20.0, 300)):
        step.reach(done)


def test_progress_without_terminal_prints_a_line_every_few_seconds(clock, capsys):
    with ProgressView() as screen:
        fill(screen, clock)
    assert capsys.readouterr().err.splitlines() == [
        "filling: 200 of 1,000, 10/s, live 4.0 s behind",
        "filling: 300 of 1,000, 10/s, live 4.0 s behind",
    ]


def test_progress_prints_the_total_at_the_end(clock, capsys):
    with ProgressView() as screen:
        step = screen.begin("comparing", total=None)
        step.advance(40)
        clock.now = 2.5
        step.advance(2)
        step.end()
    assert capsys.readouterr().err == "comparing: done, 42 in 2.5 s\n"


def test_progress_total_grows_with_what_is_missing(clock, capsys):
    with ProgressView() as screen:
        step = screen.begin("taking over", total=None)
        step.missing(100)
        clock.now = 10.0
        step.missing(20)
        step.missing(120)  # many events were appended meanwhile
        clock.now = 20.0
        step.missing(0)
    assert capsys.readouterr().err.splitlines() == [
        "taking over: 80 of 100, 8/s, ",
        "taking over: 120 of 120, 6/s, ",
    ]


def test_progress_bar_shows_rate_time_left_and_lag(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    with ProgressView() as screen:
        screen.get_time = clock
        fill(screen, clock)
    output = terminal.getvalue()
    for words in ("filling", "300/1000", "10/s", "0:01:10", "live 4.0 s behind"):
        assert words in output
