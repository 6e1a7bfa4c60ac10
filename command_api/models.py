"""Which commands were answered already?"""

from django.db import models


class AnsweredCommand(models.Model):
    """A command that came with an Idempotency-Key, and its answer for the case it comes again."""

    pk = models.CompositePrimaryKey("scope", "key")
    scope = models.TextField()
    key = models.TextField()
    fingerprint = models.BinaryField()
    made_at = models.DateTimeField(db_index=True)
    # Filled before the commit: nobody ever sees a row without its answer.
    status = models.SmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    position = models.TextField(default="")
    etag = models.TextField(default="", db_default="")

    class Meta:
        """A small table: rows live for a day."""

        db_table = "answered_commands"

    def __str__(self) -> str:
        return f"{self.key} of {self.scope}"
