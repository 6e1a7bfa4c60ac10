"""What does the vault keep of a person?"""

from django.db import models


class Subject(models.Model):
    """A person: the key of their sealed fields, what makes their names unique, their password.

    An erased person's row stays as a tombstone, so that a destroyed key reads otherwise than a
    missing one.
    """

    class State(models.TextChoices):
        """How far a person's row has come."""

        RESERVED = "reserved"
        ACTIVE = "active"
        ERASED = "erased"

    user_id = models.UUIDField(primary_key=True)
    state = models.CharField(max_length=8, choices=State)
    reserved_at = models.DateTimeField()
    username_hmac = models.BinaryField(unique=True, null=True)
    email_hmac = models.BinaryField(unique=True, null=True)
    key = models.BinaryField(null=True)
    password_hash = models.TextField(null=True)  # noqa: DJ001 - nothing is left of an erased one
    epoch = models.PositiveIntegerField(default=0)

    class Meta:
        """Reservations that were never completed are looked for by age."""

        db_table = "subjects"
        constraints = (
            models.CheckConstraint(
                name="erased_or_complete",
                condition=models.Q(
                    state="erased",
                    username_hmac=None,
                    email_hmac=None,
                    key=None,
                    password_hash=None,
                )
                | models.Q(
                    state__in=("reserved", "active"),
                    username_hmac__isnull=False,
                    email_hmac__isnull=False,
                    key__isnull=False,
                    password_hash__isnull=False,
                ),
            ),
        )
        indexes = (
            models.Index(
                name="subjects_reserved",
                fields=["reserved_at"],
                condition=models.Q(state="reserved"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} ({self.state})"


class Family(models.Model):
    """One log-in: the refresh tokens that follow from each other, of which one is current."""

    family = models.UUIDField(primary_key=True)
    user_id = models.UUIDField(db_index=True)
    current_jti = models.UUIDField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        """See the vault's other table."""

        db_table = "families"

    def __str__(self) -> str:
        return f"{self.family} of {self.user_id}"
