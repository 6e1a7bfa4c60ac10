"""What can happen to what is in fashion elsewhere?"""

from typing import Literal, TypeAlias

from events.event import Event

TrendWindow: TypeAlias = Literal["day", "week"]


class TrendObserved(Event, frozen=True, kw_only=True, tag="trend-observed.v1"):
    """Another source's board was looked at, and said this. When: the event's own time."""

    board: str
    """Its name with us: it owns the event."""
    source: str
    window: TrendWindow
    movies: tuple[int, ...]
    """Those that we know, hottest first."""


TrendEvent: TypeAlias = TrendObserved
