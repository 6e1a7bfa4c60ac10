"""Tables of the vault."""

from django.db import models


class Subject(models.Model):
    """A person: key of their encrypted fields, digests of their names, password hash.

    An erased person's row stays as a tombstone: a destroyed key differs from a missing one.
    """

    class State(models.TextChoices):
        """The state of a person's row."""

        RESERVED = "reserved"
        ACTIVE = "active"
        ERASED = "erased"

    user_id = models.UUIDField(primary_key=True)
    state = models.CharField(max_length=8, choices=State)
    reserved_at = models.DateTimeField()
    username_hmac = models.BinaryField(unique=True, null=True)
    email_hmac = models.BinaryField(unique=True, null=True)
    key = models.BinaryField(null=True)
    password_hash = models.TextField(null=True)  # noqa: DJ001 - NULL once erased
    epoch = models.PositiveIntegerField(default=0)

    class Meta:
        """The index finds orphaned reservations by age."""

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
    """What a mail is for."""

    VERIFY = "verify"
    RESET = "reset"


class Letter(models.Model):
    """A mail to be sent to the user of an address, if there is one."""

    letter = models.UUIDField(primary_key=True)
    purpose = models.CharField(max_length=8, choices=Purpose)
    email_hmac = models.BinaryField()
    due_at = models.DateTimeField(db_index=True)
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        """One at a time: repeated requests send one mail."""

        db_table = "letters"
        constraints = (
            models.UniqueConstraint(name="letters_once", fields=["purpose", "email_hmac"]),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.letter}"


class MailedToken(models.Model):
    """A token sent by mail; only its digest is stored."""

    token_digest = models.BinaryField(primary_key=True)
    user_id = models.UUIDField()
    purpose = models.CharField(max_length=8, choices=Purpose)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        """A new token replaces the previous one."""

        db_table = "mailed_tokens"
        constraints = (
            models.UniqueConstraint(name="mailed_tokens_last", fields=["user_id", "purpose"]),
        )

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user_id}"


class Family(models.Model):
    """A log-in: a family of rotated refresh tokens with one current token."""

    family = models.UUIDField(primary_key=True)
    user_id = models.UUIDField(db_index=True)
    current_jti = models.UUIDField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "families"

    def __str__(self) -> str:
        return f"{self.family} of {self.user_id}"


class Erasure(models.Model):
    """The erasure of a person and its progress; nothing about the person."""

    user_id = models.UUIDField(primary_key=True)
    asked_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    """When the key was destroyed."""
    settled_at = models.DateTimeField(null=True)
    """Since when no more of their events can be appended."""
    gone_at = models.DateTimeField(null=True)
    """When every read model had dropped them."""

    class Meta:
        """The index finds unfinished erasures, which are few."""

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
    """The report of one part of the platform on an erasure."""

    pk = models.CompositePrimaryKey("user_id", "part")
    user_id = models.UUIDField()
    part = models.TextField()
    said = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "erasure_lines"

    def __str__(self) -> str:
        return f"{self.part}: {self.said}"
