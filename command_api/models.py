"""Table of answers to commands that came with an Idempotency-Key."""

from django.db import models


class AnsweredCommand(models.Model):
    """A command that came with an Idempotency-Key, and the answer that a repetition gets."""

    pk = models.CompositePrimaryKey("scope", "key")
    scope = models.TextField()
    key = models.TextField()
    fingerprint = models.BinaryField()
    made_at = models.DateTimeField(db_index=True)
    # Filled before the commit: no other transaction sees a row without its answer.
    status = models.SmallIntegerField(null=True)
    body = models.BinaryField(null=True)
    position = models.TextField(default="")
    etag = models.TextField(default="", db_default="")

    class Meta:
        db_table = "answered_commands"

    def __str__(self) -> str:
        return f"{self.key} of {self.scope}"
