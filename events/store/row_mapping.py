"""What are the columns of the log, and which part of a stored event is each?"""

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


def to_row(stored: Stored) -> tuple[Any, ...]:
    """The stored event as a row of COLUMNS."""
    return (
        stored.partition,
        stored.offset,
        stored.stream,
        stored.version,
        stored.type,
        stored.data,
        stored.occurred_at,
        stored.recorded_at,
        str(stored.origin.correlation_id),
        stored.origin.causation_id,
        stored.origin.traceparent,
    )
