"""Position tokens: signed log positions that clients carry from a command to a query.

The header ``Log-Position`` holds one or several, joined by commas.
"""

import struct

from events.recorded import Position
from infra.errors import Invalid
from infra.security.signing import BadSignature, open_, seal

HEADER = "Log-Position"
_PURPOSE = "position"
_FORMAT = struct.Struct(">HQ")
_MAX_POSITIONS = 16


def encode_position(position: Position) -> str:
    """The token of a position."""
    return seal(_PURPOSE, _FORMAT.pack(*position))


def decode_positions(header: str) -> tuple[Position, ...]:
    """The positions of a header; raises Invalid for a malformed or forged one."""
    tokens = [token for part in header.split(",") if (token := part.strip())]
    if not 0 < len(tokens) <= _MAX_POSITIONS:
        raise _refused(f"Name between 1 and {_MAX_POSITIONS} positions.")
    try:
        return tuple(Position(*_FORMAT.unpack(open_(_PURPOSE, token))) for token in tokens)
    except (BadSignature, struct.error) as error:
        raise _refused("Not a position that a command has returned.") from error


def _refused(reason: str) -> Invalid:
    return Invalid("The Log-Position is invalid.", errors=[(HEADER, reason)])
