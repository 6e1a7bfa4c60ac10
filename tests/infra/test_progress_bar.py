"""Progress: bar on a terminal, lines elsewhere, or nothing."""

import sys
from io import StringIO

import pytest

from infra import progress_bar
from infra.progress_bar import no_progress


class Terminal(StringIO):
    def isatty(self):
        return True


def test_terminal_gets_a_progress_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar.progress("films", 4) as advance:
        advance(4)
    assert "films" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_no_progress_bar_without_items(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar.progress("films", 0):
        pass
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("quiet_seconds", "expected"), [(0.0, "films: 25%\nfilms: 100%\n"), (1e9, "")]
)
def test_pipe_gets_a_line_every_few_seconds(monkeypatch, capsys, quiet_seconds, expected):
    monkeypatch.setattr(progress_bar, "_QUIET_SECONDS", quiet_seconds)
    with progress_bar.progress("films", 4) as advance:
        advance(1)
        advance(3)
    assert capsys.readouterr().err == expected


def test_no_progress_prints_nothing(capsys):
    with no_progress("films", 4) as advance:
        advance(4)
    assert capsys.readouterr() == ("", "")
