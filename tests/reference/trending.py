"""Reference fold of trending heat, hour by hour."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from events.recorded import Recorded
from tests.reference.opinions import changes

HOUR = timedelta(hours=1)
WINDOW_HOURS = {"day": 24, "week": 168}


def degrees(history: Iterable[Recorded]) -> dict[tuple[int, datetime], int]:
    """The heat that each movie gained, by movie and hour; hours with 0 are left out.

    A first rating adds one degree; a withdrawn one takes one away, in the hour it is withdrawn.
    """
    degrees_by_hour: dict[tuple[int, datetime], int] = {}
    for change in changes(history):
        degree = (change.after is not None) - (change.before is not None)
        movie_and_hour = change.movie, _beginning(change.at)
        degrees_by_hour[movie_and_hour] = degrees_by_hour.get(movie_and_hour, 0) + degree
    return {movie_and_hour: degree for movie_and_hour, degree in degrees_by_hour.items() if degree}


def board(
    degrees: Mapping[tuple[int, datetime], int], window: str, *, now: datetime
) -> dict[int, float]:
    """The heat of each movie that has any: it halves with each quarter of the window."""
    hours = WINDOW_HOURS[window]
    heats: dict[int, float] = {}
    for (movie, hour), degree in degrees.items():
        age = (_beginning(now) - hour) // HOUR
        if 0 <= age < hours:
            heats[movie] = heats.get(movie, 0.0) + degree * 0.5 ** (age / (hours / 4))
    return {movie: heat for movie, heat in heats.items() if heat > 0.5e-6}


def _beginning(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
