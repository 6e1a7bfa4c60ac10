"""Erasures of users, and their progress.

    asked     marked here; log-ins and password are void
    erased    ``user-erased`` is in the log, the key is destroyed, a tombstone is left
    settled   no concurrent command can append after it
    gone      every read model has dropped the user and reported so (``report_lines``)

Marked first, so that another process resumes an erasure that was interrupted. Only ids, times and
results are kept, nothing about the person.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.apps import apps
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Model, Q
from django.db.models.functions import Coalesce, Now

from events.vault.models import Erasure, Letter, Line, Subject

SETTLED_AFTER = timedelta(minutes=1)
"""Longer than any command that ran while the key was destroyed."""

_State = Subject.State


class ErasureProgress(NamedTuple):
    """The progress of an erasure."""

    user_id: UUID
    asked_at: datetime
    erased_at: datetime | None
    settled_at: datetime | None
    gone_at: datetime | None


class ErasureReportLine(NamedTuple):
    """What one part of the platform reported."""

    part: str
    said: str
    at: datetime


class RemainingRows(NamedTuple):
    """How many rows the vault still has of a user, by what they are."""

    what: str
    number: int


def begin(user_id: UUID) -> bool:
    """Mark a user and void their log-ins and password; False for an unknown user."""
    with transaction.atomic(using="vault"):
        subject = Subject.objects.select_for_update().filter(user_id=user_id).first()
        if subject is None:
            return False
        Erasure.objects.get_or_create(user_id=user_id, defaults={"asked_at": Now()})
        _delete_user_rows(user_id)
        Subject.objects.filter(user_id=user_id).exclude(state=_State.ERASED).update(
            password_hash=UNUSABLE_PASSWORD_PREFIX
        )
    return True


def destroy_key(user_id: UUID) -> None:
    """Destroy a user's key and names; a tombstone is left. May be repeated."""
    with transaction.atomic(using="vault"):
        _delete_user_rows(user_id)
        Subject.objects.filter(user_id=user_id).update(
            state=_State.ERASED,
            username_hmac=None,
            email_hmac=None,
            key=None,
            password_hash=None,
        )
        asked = Erasure.objects.filter(user_id=user_id)
        asked.update(erased_at=Coalesce("erased_at", Now()))


def settle(user_id: UUID) -> None:
    """Note that no more events of the user can be appended."""
    Erasure.objects.filter(user_id=user_id).update(settled_at=Now())


def resume(user_id: UUID) -> None:
    """Start the steps after ``erased`` again: the event was recorded once more."""
    Erasure.objects.get_or_create(user_id=user_id, defaults={"asked_at": Now()})
    Erasure.objects.filter(user_id=user_id).update(settled_at=None, gone_at=None)
    Line.objects.filter(user_id=user_id).delete()


def unsettled() -> Sequence[UUID]:
    """The users whose erasure is unfinished in log or vault and can go on now."""
    due = Q(erased_at=None) | Q(erased_at__lt=Now() - SETTLED_AFTER)
    rows = Erasure.objects.filter(due, settled_at=None).order_by("asked_at")
    return list(rows.values_list("user_id", flat=True))


def incomplete() -> Sequence[UUID]:
    """The users whose key is destroyed, but not yet every read model's data."""
    rows = Erasure.objects.filter(erased_at__isnull=False, gone_at=None).order_by("asked_at")
    return list(rows.values_list("user_id", flat=True))


def find(user_id: UUID) -> ErasureProgress | None:
    """The progress of a user's erasure; None if none was asked for."""
    row = Erasure.objects.filter(user_id=user_id).values_list(*ErasureProgress._fields).first()
    return None if row is None else ErasureProgress(*row)


def is_erased(user_id: UUID) -> bool:
    """Whether only the user's tombstone is left."""
    return Subject.objects.filter(user_id=user_id, state=_State.ERASED).exists()


def user_ids(*, are_erased: bool, after: UUID | None, limit: int) -> Sequence[UUID]:
    """A page of the users with a tombstone, or of those without, in order of id."""
    states = [_State.ERASED] if are_erased else [_State.ACTIVE, _State.RESERVED]
    rows = Subject.objects.filter(state__in=states)
    if after is not None:
        rows = rows.filter(user_id__gt=after)
    return list(rows.order_by("user_id").values_list("user_id", flat=True)[:limit])


def remaining_rows(user_id: UUID) -> Sequence[RemainingRows]:
    """The vault's rows of a user beside the tombstone; empty once they are erased."""
    whole = Subject.objects.filter(user_id=user_id).exclude(state=_State.ERASED).count()
    remaining = [RemainingRows("key, names and password", whole)]
    for model in _user_tables():
        matching = model._default_manager.filter(user_id=user_id)  # noqa: SLF001 - Django's public name
        remaining.append(RemainingRows(model._meta.db_table, matching.count()))  # noqa: SLF001 - as above
    return [each for each in remaining if each.number]


# ------------------------------------------------------------------------------ the report


def add_report_line(user_id: UUID, part: str, said: str) -> None:
    """Note the report of a part; its first report stays."""
    Line.objects.get_or_create(user_id=user_id, part=part, defaults={"said": said, "at": Now()})


def mark_gone(user_id: UUID) -> None:
    """Note that all parts have dropped the user."""
    Erasure.objects.filter(user_id=user_id, gone_at=None).update(gone_at=Now())


def report_lines(user_id: UUID) -> Sequence[ErasureReportLine]:
    """The reports of the parts, in order."""
    rows = Line.objects.filter(user_id=user_id).order_by("part")
    return [ErasureReportLine(*row) for row in rows.values_list("part", "said", "at")]


def _delete_user_rows(user_id: UUID) -> None:
    their_subject = Subject.objects.filter(user_id=user_id, email_hmac__isnull=False)
    Letter.objects.filter(email_hmac__in=their_subject.values("email_hmac")).delete()
    for model in _user_tables():
        model._default_manager.filter(user_id=user_id).delete()  # noqa: SLF001 - Django's public name


def _user_tables() -> Sequence[type[Model]]:
    """Every table of the vault with a user_id, except for those that are kept."""
    kept_tables = (Subject, Erasure, Line)
    return [
        model
        for model in apps.get_app_config("vault").get_models()
        if model not in kept_tables and any(field.name == "user_id" for field in model._meta.fields)  # noqa: SLF001 - as above
    ]
