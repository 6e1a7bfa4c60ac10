"""What did the lines of an archive look like in its former format, ``marquee-log.v1``?

They are still read; ``events.archive.archive`` writes CloudEvents.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from events.cloudevent import text_of
from events.recorded import Origin, Stored


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the log kept it."""

    partition: int
    offset: int
    stream: str
    version: int
    type: str
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID
    causation_id: str | None = None
    traceparent: str | None = None
    data: msgspec.Raw


_decoder = msgspec.json.Decoder(Line)


def read(line: bytes) -> Stored:
    """The stored event of a line; raises msgspec.MsgspecError for anything else."""
    said = _decoder.decode(line)
    return Stored(
        partition=said.partition,
        offset=said.offset,
        stream=said.stream,
        version=said.version,
        type=said.type,
        data=text_of(said.data),
        occurred_at=said.occurred_at,
        recorded_at=said.recorded_at,
        origin=Origin(
            correlation_id=said.correlation_id,
            causation_id=said.causation_id,
            traceparent=said.traceparent,
        ),
    )
