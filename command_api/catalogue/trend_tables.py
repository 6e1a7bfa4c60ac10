"""What do observations of other sources' boards put into the tables, and what do these say?"""

from datetime import datetime
from typing import NamedTuple

from command_api.catalogue.models import TrendEntry, TrendObservation
from events.catalogue import TrendObserved


class Observed(NamedTuple):
    """What a board said the last time; never looked at: no time."""

    movies: tuple[int, ...] = ()
    at: datetime | None = None


def apply(event: TrendObserved, *, at: datetime) -> None:
    """Bring the tables up to the event. Belongs into the transaction that appends it, before that.

    Only the last look at a board is kept: those before it are in the log.
    """
    board, _ = TrendObservation.objects.update_or_create(
        board=event.board,
        defaults={"source": event.source, "window": event.window, "observed_at": at},
    )
    board.entries.all().delete()
    TrendEntry.objects.bulk_create(
        TrendEntry(board=board, movie_id=movie, rank=rank)
        for rank, movie in enumerate(event.movies, start=1)
    )


def last(board: str) -> Observed:
    """What the board said the last time."""
    if (found := TrendObservation.objects.filter(board=board).first()) is None:
        return Observed()
    ranked = found.entries.order_by("rank").values_list("movie", flat=True)
    return Observed(tuple(ranked), found.observed_at)
