"""Movie card: its JSON, composed from a movie's stored fields."""

from collections.abc import Mapping
from operator import mul
from typing import TypedDict

import msgspec

SCORES = range(1, 11)
DETAILS = "details"
LINK = "link:"
WITHDRAWN = "unlisted"
"""Field of a withdrawn movie."""

_encode = msgspec.json.Encoder().encode
_SCORES = {str(score).encode(): score for score in SCORES}
_LINK = LINK.encode()
_DETAILS = DETAILS.encode()
_WITHDRAWN = WITHDRAWN.encode()


class RatingSummary(TypedDict):
    """The community's ratings of a movie."""

    average: float | None
    count: int
    histogram: list[int]
    """Votes for each score, from 1 to 10."""


def compose(fields: Mapping[bytes, bytes]) -> bytes | None:
    """Compose the card as JSON; None if the movie is unknown or withdrawn."""
    details = fields.get(_DETAILS)
    if details is None or _WITHDRAWN in fields:
        return None
    links = {
        field.removeprefix(_LINK).decode(): value.decode()
        for field, value in sorted(fields.items())
        if field.startswith(_LINK)
    }
    return (
        details[:-1]
        + b',"external_ids":'
        + _encode(links)
        + b',"community":'
        + _encode(_rating_summary(fields))
        + b"}"
    )


def _rating_summary(fields: Mapping[bytes, bytes]) -> RatingSummary:
    histogram = [int(fields.get(field, 0)) for field in _SCORES]
    count = sum(histogram)
    total = sum(map(mul, SCORES, histogram))
    return {
        "average": round(total / count, 2) if count else None,
        "count": count,
        "histogram": histogram,
    }
