"""What is to be remembered of a generation beside its number?"""

from typing import ClassVar

from django.db import migrations

# What answers, and until when an old one is kept level, is in Redis beside the data; here is what
# must outlive it: what a number was made for, and whether anything of it may still lie about.
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
