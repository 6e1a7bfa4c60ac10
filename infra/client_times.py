"""Times that clients and files give: in UTC, and now if their clock is a little ahead."""

from datetime import UTC, datetime, timedelta

CLOCK_TOLERANCE = timedelta(minutes=1)
"""A time up to this far ahead comes from a clock that is ahead, and counts as now."""


def to_utc(at: datetime) -> datetime:
    """The same time in UTC; raises ValueError without an offset, or beyond the years 1 to 9999.

    PostgreSQL and the standard library refuse some offsets and years that RFC 3339 allows.
    """
    if at.tzinfo is UTC:
        return at
    if at.utcoffset() is None:
        raise ValueError("the time has no UTC offset")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is not between the years 1 and 9999 of UTC") from error


def is_future(at: datetime, *, now: datetime) -> bool:
    """Whether a time is further ahead than a clock may be."""
    return at > now + CLOCK_TOLERANCE
