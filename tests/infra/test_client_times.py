"""Times of clients: converted to UTC, and a clock that is a little ahead counts as now."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from infra.client_times import is_future, to_utc

NOON = datetime(2020, 6, 15, 12, tzinfo=UTC)


def offset(hours, minutes=0):
    return timezone(timedelta(hours=hours, minutes=minutes))


@pytest.mark.parametrize(
    ("at", "utc"),
    [
        (NOON, NOON),
        (NOON.replace(tzinfo=offset(-16)), datetime(2020, 6, 16, 4, tzinfo=UTC)),
        (NOON.replace(tzinfo=offset(-23, -59)), datetime(2020, 6, 16, 11, 59, tzinfo=UTC)),
        (NOON.replace(tzinfo=offset(23, 59)), datetime(2020, 6, 14, 12, 1, tzinfo=UTC)),
        (NOON.replace(tzinfo=offset(5, 45)), datetime(2020, 6, 15, 6, 15, tzinfo=UTC)),
        (
            datetime(9999, 12, 31, 23, tzinfo=offset(1)),
            datetime(9999, 12, 31, 22, tzinfo=UTC),
        ),
    ],
)
def test_every_offset_is_converted_to_utc(at, utc):
    converted = to_utc(at)
    assert (converted, converted.tzinfo) == (utc, UTC)


@pytest.mark.parametrize(
    "at",
    [
        datetime(2020, 6, 15, 12),  # noqa: DTZ001 - without an offset
        datetime(1, 1, 1, tzinfo=offset(14)),
        datetime(1, 1, 1, tzinfo=offset(0, 1)),
        datetime(9999, 12, 31, 23, 59, tzinfo=offset(-14)),
    ],
)
def test_time_that_is_none_in_utc_is_refused(at):
    with pytest.raises(ValueError, match="the time"):
        to_utc(at)


@pytest.mark.parametrize(
    ("ahead", "future"),
    [(-3600, False), (0, False), (2, False), (60, False), (61, True), (3600, True)],
)
def test_clock_may_be_a_minute_ahead(ahead, future):
    assert is_future(NOON + timedelta(seconds=ahead), now=NOON) is future
