"""When is what another source's board says news?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from events.catalogue import TrendEvent, TrendObserved, TrendWindow
from events.recorded import Stream

REPEATED_AFTER = timedelta(hours=1)
"""The same again is news after so long: that somebody looked keeps a board from growing old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveTrend:
    """A board was looked at, and these of our movies were on it, hottest first."""

    board: str
    source: str
    window: TrendWindow
    movies: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class BoardState:
    """What it said the last time; never looked at: no time."""

    movies: tuple[int, ...] = ()
    at: datetime | None = None


def stream_of(board: str, at: datetime) -> Stream:
    """Where observations of a day are; the board owns them all."""
    return Stream(f"trend-{board}-{at.date()}", board)


def decide(command: ObserveTrend, board: BoardState) -> Sequence[TrendEvent]:
    """What happens, if anything. A board that says nothing takes nothing back."""
    if not command.movies or (board.at is not None and command.at <= board.at):
        return ()
    is_fresh = board.at is not None and command.at - board.at < REPEATED_AFTER
    if is_fresh and command.movies == board.movies:
        return ()
    return (
        TrendObserved(
            board=command.board,
            source=command.source,
            window=command.window,
            movies=command.movies,
        ),
    )
