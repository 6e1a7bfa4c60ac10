"""Tables of the event log, and the function that appends to it."""

from typing import ClassVar

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from infra.config import config

LOG = """
CREATE TABLE events (
    partition smallint NOT NULL,
    "offset" bigint NOT NULL,
    stream text NOT NULL,
    version integer NOT NULL,
    type text NOT NULL,
    data json NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id text,
    traceparent text,
    PRIMARY KEY (partition, "offset"),
    UNIQUE (partition, stream, version)
);

-- A row a partition. Half-empty pages and an eager vacuum keep its updates on one page (HOT).
CREATE TABLE partitions (
    partition smallint PRIMARY KEY,
    head bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0.0);

-- How far the relay has been confirmed, and the epoch of the relay that may move it.
CREATE TABLE relay_cursors (
    partition smallint PRIMARY KEY,
    "offset" bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0.0);
CREATE TABLE relay_epoch (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    epoch bigint NOT NULL DEFAULT 0
);
INSERT INTO relay_epoch DEFAULT VALUES;

-- Numbers of read model generations: given out once, never again.
CREATE TABLE generations (
    model text NOT NULL,
    number integer NOT NULL,
    version integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model, number)
);
"""

# The counter's row lock is held until commit: commit order is offset order, and a rollback leaves
# no gap. So this is the last thing a transaction does, and it never signals (NOTIFY takes a lock
# that all committers share: 10 times slower).
APPEND = """
CREATE FUNCTION append_events(
    p smallint, streams text[], versions integer[], types text[], datas text[],
    occurred timestamptz[], correlation uuid, causation text, trace text
) RETURNS TABLE (first bigint, at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    n integer := cardinality(streams);
    before bigint;
    moment timestamptz;
BEGIN
    UPDATE partitions SET head = head + n WHERE partition = p RETURNING head - n INTO before;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log has no partition %', p;
    END IF;
    moment := clock_timestamp();
    INSERT INTO events (partition, "offset", stream, version, type, data, occurred_at,
                        recorded_at, correlation_id, causation_id, traceparent)
    SELECT p, before + e.nth, e.stream, e.version, e.type, e.data::json,
           coalesce(e.occurred, moment), moment, correlation, causation, trace
    FROM unnest(streams, versions, types, datas, occurred)
         WITH ORDINALITY AS e (stream, version, type, data, occurred, nth);
    RETURN QUERY SELECT before + 1, moment;
END
$$;
"""


def _make_partitions(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        for table in ("partitions", "relay_cursors"):
            cursor.execute(
                f"INSERT INTO {table} (partition) SELECT generate_series(0, %s)",
                [config().partitions - 1],
            )


class Migration(migrations.Migration):
    """The log, made with as many partitions as the configuration says, for good."""

    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.RunSQL(LOG),
        migrations.RunSQL(APPEND),
        migrations.RunPython(_make_partitions),
    ]
