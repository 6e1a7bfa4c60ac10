"""How does a client carry a place in the log from a command to a query?

``Log-Position`` is opaque and signed; several are joined by commas.
"""

import struct
from collections.abc import Iterable

from events.recorded import Position
from infra.errors import Invalid
from infra.security.signing import BadSignature, open_, seal

HEADER = "Log-Position"
_PURPOSE = "position"
_FORM = struct.Struct(">HQ")
_MOST = 16


def encode_position(position: Position) -> str:
    """One position as a word."""
    return seal(_PURPOSE, _FORM.pack(*position))


def encode_positions(positions: Iterable[Position]) -> str:
    """Several, as the header's value; the last one of each partition stands for all before it."""
    last = {position.partition: position for position in sorted(positions)}
    return ",".join(encode_position(position) for position in last.values())


def decode_positions(header: str) -> tuple[Position, ...]:
    """The positions that a header names; raises Invalid for what is not ours."""
    words = [word for part in header.split(",") if (word := part.strip())]
    if not 0 < len(words) <= _MOST:
        raise _refused(f"Between 1 and {_MOST} positions can be waited for.")
    try:
        return tuple(Position(*_FORM.unpack(open_(_PURPOSE, word))) for word in words)
    except (BadSignature, struct.error) as error:
        raise _refused("This is no position that a command answered with.") from error


def _refused(reason: str) -> Invalid:
    return Invalid("The Log-Position can't be waited for.", errors=[(HEADER, reason)])
