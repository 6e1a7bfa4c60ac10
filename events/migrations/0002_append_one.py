"""Function that appends a single event, as nearly every command does.

Scalars instead of arrays, and plans that PostgreSQL keeps: about 110 us of its time instead of 200.
"""

from typing import ClassVar

from django.db import migrations

# The first event of a stream is looked for before anything is touched, so that a command may guess
# that its stream is new: a wrong guess answers with no row, moves no counter and logs no error.
APPEND_ONE = """
CREATE FUNCTION append_event(
    p smallint, s text, v integer, t text, d text,
    occurred timestamptz, correlation uuid, causation text, trace text
) RETURNS TABLE (first bigint, at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    IF v = 1 AND EXISTS (SELECT FROM events WHERE partition = p AND stream = s) THEN
        RETURN;
    END IF;
    UPDATE partitions SET head = head + 1 WHERE partition = p RETURNING head INTO first;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log has no partition %', p;
    END IF;
    at := clock_timestamp();
    INSERT INTO events (partition, "offset", stream, version, type, data, occurred_at,
                        recorded_at, correlation_id, causation_id, traceparent)
    VALUES (p, first, s, v, t, d::json, coalesce(occurred, at), at, correlation, causation, trace);
    RETURN NEXT;
END
$$;
"""


class Migration(migrations.Migration):
    """Beside append_events, with the same promises."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("log", "0001_log")]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.RunSQL(APPEND_ONE, reverse_sql="DROP FUNCTION append_event"),
    ]
