"""How is a row of the log read?"""

from typing import Any

from events.recorded import Origin, Stored

COLUMNS = (
    'partition, "offset", stream, version, type, data::text, occurred_at, recorded_at,'
    " correlation_id, causation_id, traceparent"
)


def to_stored(row: tuple[Any, ...]) -> Stored:
    """The stored event of a row of COLUMNS."""
    return Stored(
        partition=row[0],
        offset=row[1],
        stream=row[2],
        version=row[3],
        type=row[4],
        data=row[5],
        occurred_at=row[6],
        recorded_at=row[7],
        origin=Origin(correlation_id=row[8], causation_id=row[9], traceparent=row[10]),
    )
