"""Events of trending boards of other sources."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from events.event import Event

TrendWindow: TypeAlias = Literal["day", "week"]


class TrendObserved(Event, frozen=True, kw_only=True, tag="trend-observed.v1"):
    """The trending board of another source, as fetched at the event's own time."""

    board: Annotated[str, Meta(description="The board's name here; the owner of the event.")]
    source: str
    window: TrendWindow
    movies: Annotated[
        tuple[int, ...], Meta(description="The movies of our catalogue, hottest first.")
    ]


TrendEvent: TypeAlias = TrendObserved
