"""Decider of trending boards: an observation is an event if the board changed or an hour passed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from events.catalogue import TrendEvent, TrendObserved, TrendWindow
from events.recorded import Stream

REPEATED_AFTER = timedelta(hours=1)
"""An unchanged board is recorded again after this time, so that its age stays low."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveTrend:
    """Record the movies on a board, hottest first."""

    board: str
    source: str
    window: TrendWindow
    movies: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class BoardState:
    """The last observation; ``at`` is None if the board was never observed."""

    movies: tuple[int, ...] = ()
    at: datetime | None = None


def stream_of(board: str, at: datetime) -> Stream:
    """The stream of a day's observations; the board is the owner of all of them."""
    return Stream(f"trend-{board}-{at.date()}", board)


def decide(command: ObserveTrend, board: BoardState) -> Sequence[TrendEvent]:
    """The event, if any; an empty or outdated observation is ignored."""
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
