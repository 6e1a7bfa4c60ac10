"""Does somebody who waits see how far it is, and nobody else anything?"""

import sys
from io import StringIO

import pytest

from infra import progress_bar
from infra.progress_bar import no_progress


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar.progress("films", 4) as advance:
        advance(4)
    assert "films" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_no_bar_for_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar.progress("films", 0):
        pass
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(("quiet_seconds", "said"), [(0.0, "films: 25%\nfilms: 100%\n"), (1e9, "")])
def test_a_line_now_and_then_elsewhere(monkeypatch, capsys, quiet_seconds, said):
    monkeypatch.setattr(progress_bar, "_QUIET_SECONDS", quiet_seconds)
    with progress_bar.progress("films", 4) as advance:
        advance(1)
        advance(3)
    assert capsys.readouterr().err == said


def test_nothing_for_those_who_do_not_wait(capsys):
    with no_progress("films", 4) as advance:
        advance(4)
    assert capsys.readouterr() == ("", "")
