"""Tables of trending boards: the last observation of each."""

from datetime import datetime
from typing import NamedTuple

from command_api.catalogue.models import TrendEntry, TrendObservation
from events.catalogue import TrendObserved


class LastObservation(NamedTuple):
    """A board's movies, hottest first; ``at`` is None if it was never observed."""

    movies: tuple[int, ...] = ()
    at: datetime | None = None


def apply(event: TrendObserved, *, at: datetime) -> None:
    """Write the event to the tables. Call it in the transaction that appends it, before the append.

    Only the last observation of a board is kept; the log has the others.
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


def last(board: str) -> LastObservation:
    if (row := TrendObservation.objects.filter(board=board).first()) is None:
        return LastObservation()
    ranked = row.entries.order_by("rank").values_list("movie", flat=True)
    return LastObservation(tuple(ranked), row.observed_at)
