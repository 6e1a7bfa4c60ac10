"""Table of read-model generations."""

from typing import ClassVar

from django.db import migrations

# Which generation is live is in Redis beside the data; this table outlives Redis: what each number
# was made for, and whether its data may still exist.
LIVES = """
ALTER TABLE generations
    ADD COLUMN purpose text NOT NULL DEFAULT 'live'
        CHECK (purpose IN ('live', 'rebuild', 'past')),
    ADD COLUMN label text,
    ADD COLUMN until timestamptz,
    ADD COLUMN finished_at timestamptz,
    ADD COLUMN dropped_at timestamptz;
"""
BACK = """
ALTER TABLE generations
    DROP COLUMN purpose, DROP COLUMN label, DROP COLUMN until,
    DROP COLUMN finished_at, DROP COLUMN dropped_at;
"""


class Migration(migrations.Migration):
    """Generations that are made by a rebuild, kept, and dropped."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("log", "0002_append_one")]
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.RunSQL(LIVES, BACK)
    ]
