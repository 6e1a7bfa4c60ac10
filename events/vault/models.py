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


class Purpose(models.TextChoices):
    """What a letter to a person is for."""

    VERIFY = "verify"
    RESET = "reset"


class Letter(models.Model):
    """A letter that is to be written to whoever has an address, if anybody has it."""

    letter = models.UUIDField(primary_key=True)
    purpose = models.CharField(max_length=8, choices=Purpose)
    email_hmac = models.BinaryField()
    due_at = models.DateTimeField(db_index=True)
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        """One at a time: who asks often is written to once."""

        db_table = "letters"
        constraints = (
            models.UniqueConstraint(name="letters_once", fields=["purpose", "email_hmac"]),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.letter}"


class MailedToken(models.Model):
    """What proves that a letter was read. Only a digest of it is kept."""

    token_digest = models.BinaryField(primary_key=True)
    user_id = models.UUIDField()
    purpose = models.CharField(max_length=8, choices=Purpose)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        """A new one replaces the one before."""

        db_table = "mailed_tokens"
        constraints = (
            models.UniqueConstraint(name="mailed_tokens_last", fields=["user_id", "purpose"]),
        )

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user_id}"


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


class Erasure(models.Model):
    """That a person is to be forgotten, and how far that has come. Nothing says who it was."""

    user_id = models.UUIDField(primary_key=True)
    asked_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    """When the key was destroyed; what was written until then is in the log."""
    settled_at = models.DateTimeField(null=True)
    """When nothing more of theirs could come into the log."""
    gone_at = models.DateTimeField(null=True)
    """When every read model had let go of them."""

    class Meta:
        """Those that go on are looked for all the time, and are few."""

        db_table = "erasures"
        indexes = (
            models.Index(
                name="erasures_going_on",
                fields=["asked_at"],
                condition=models.Q(settled_at=None) | models.Q(gone_at=None),
            ),
        )

    def __str__(self) -> str:
        return str(self.user_id)


class Line(models.Model):
    """What one part of the platform says of an erasure, once it has done its own."""

    pk = models.CompositePrimaryKey("user_id", "part")
    user_id = models.UUIDField()
    part = models.TextField()
    said = models.TextField()
    at = models.DateTimeField()

    class Meta:
        """A few lines an erasure."""

        db_table = "erasure_lines"

    def __str__(self) -> str:
        return f"{self.part}: {self.said}"
