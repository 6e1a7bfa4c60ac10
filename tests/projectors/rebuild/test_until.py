"""Time of rebuild --until: in UTC, and now if it is a little ahead."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

import pytest

from projectors.management.commands.rebuild import moment


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-31T12:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00-16:00", datetime(2026, 2, 1, 4, tzinfo=UTC)),
        ("2026-01-31T12:00:00+23:59", datetime(2026, 1, 30, 12, 1, tzinfo=UTC)),
        ("2026-01-31T12:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_moment_is_converted_to_utc(text, utc):
    assert (moment(text), moment(text).tzinfo) == (utc, UTC)


def test_moment_a_little_ahead_is_now():
    soon = datetime.now(UTC) + timedelta(seconds=30)
    assert moment(soon.isoformat()) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yesterday", "is not a time"),
        ("2026-02-30T12:00Z", "is not a time"),
        ("0001-01-01T00:00:00+14:00", "is not a time"),
        ("9999-12-31T23:59:59-14:00", "is not a time"),
        ("9999-12-31T23:59:59Z", "in the future"),
    ],
)
def test_moment_that_cannot_be_is_refused(text, reason):
    with pytest.raises(ArgumentTypeError, match=reason):
        moment(text)
