"""Who is being forgotten, and how far has that come?

    asked     marked here; log-ins and password are void
    erased    ``user-erased`` is in the log, and the key destroyed: a tombstone is left
    settled   nothing that was on its way has come after it
    gone      every read model has let go, and said so (``lines``)

Marked first, so that whoever dies in between leaves what others go on with. Nothing here says who
it was: only ids, times, and what was done.
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
"""A command that was on its way when the key went is over long before, however it ended."""

_State = Subject.State


class ErasureProgress(NamedTuple):
    """How far an erasure has come."""

    user_id: UUID
    asked_at: datetime
    erased_at: datetime | None
    settled_at: datetime | None
    gone_at: datetime | None


class ErasureReportLine(NamedTuple):
    """A line of the report."""

    part: str
    said: str
    at: datetime


class RemainingRows(NamedTuple):
    """What the vault still has of somebody: by what it is, how many."""

    what: str
    number: int


def begin(user_id: UUID) -> bool:
    """Mark somebody, and end what lets them in; False for who is not there at all."""
    with transaction.atomic(using="vault"):
        subject = Subject.objects.select_for_update().filter(user_id=user_id).first()
        if subject is None:
            return False
        Erasure.objects.get_or_create(user_id=user_id, defaults={"asked_at": Now()})
        _drop_what_belongs_to(user_id)
        Subject.objects.filter(user_id=user_id).exclude(state=_State.ERASED).update(
            password_hash=UNUSABLE_PASSWORD_PREFIX
        )
    return True


def destroy_key(user_id: UUID) -> None:
    """Destroy key and names; a tombstone is left. May be done again."""
    with transaction.atomic(using="vault"):
        _drop_what_belongs_to(user_id)
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
    """Nothing more can come."""
    Erasure.objects.filter(user_id=user_id).update(settled_at=Now())


def resume(user_id: UUID) -> None:
    """It was said again that they are erased: all that follows from it is done again."""
    Erasure.objects.get_or_create(user_id=user_id, defaults={"asked_at": Now()})
    Erasure.objects.filter(user_id=user_id).update(settled_at=None, gone_at=None)
    Line.objects.filter(user_id=user_id).delete()


def unsettled() -> Sequence[UUID]:
    """Those that are not done in log and vault, as far as something can be done about them now."""
    due = Q(erased_at=None) | Q(erased_at__lt=Now() - SETTLED_AFTER)
    found = Erasure.objects.filter(due, settled_at=None).order_by("asked_at")
    return list(found.values_list("user_id", flat=True))


def incomplete() -> Sequence[UUID]:
    """Those whose key is destroyed, and of whom some read model may still know."""
    found = Erasure.objects.filter(erased_at__isnull=False, gone_at=None).order_by("asked_at")
    return list(found.values_list("user_id", flat=True))


def find(user_id: UUID) -> ErasureProgress | None:
    """How far somebody's erasure has come; None if nobody asked for it."""
    row = Erasure.objects.filter(user_id=user_id).values_list(*ErasureProgress._fields).first()
    return None if row is None else ErasureProgress(*row)


def is_erased(user_id: UUID) -> bool:
    """Whether nothing but the tombstone is left."""
    return Subject.objects.filter(user_id=user_id, state=_State.ERASED).exists()


def user_ids(*, are_erased: bool, after: UUID | None, limit: int) -> Sequence[UUID]:
    """Those with a tombstone, or those without, in order of their ids, by pages."""
    states = [_State.ERASED] if are_erased else [_State.ACTIVE, _State.RESERVED]
    some = Subject.objects.filter(state__in=states)
    if after is not None:
        some = some.filter(user_id__gt=after)
    return list(some.order_by("user_id").values_list("user_id", flat=True)[:limit])


def remaining_rows(user_id: UUID) -> Sequence[RemainingRows]:
    """What is there of somebody beside a tombstone; nothing, once they are erased."""
    whole = Subject.objects.filter(user_id=user_id).exclude(state=_State.ERASED).count()
    found = [RemainingRows("key, names and password", whole)]
    for model in _belongings():
        rows = model._default_manager.filter(user_id=user_id)  # noqa: SLF001 - Django's public name
        found.append(RemainingRows(model._meta.db_table, rows.count()))  # noqa: SLF001 - as above
    return [left for left in found if left.number]


# ------------------------------------------------------------------------------ the report


def add_report_line(user_id: UUID, part: str, said: str) -> None:
    """A part has done its own; what it said first stays."""
    Line.objects.get_or_create(user_id=user_id, part=part, defaults={"said": said, "at": Now()})


def mark_gone(user_id: UUID) -> None:
    """All parts were looked at, and had let go for good."""
    Erasure.objects.filter(user_id=user_id, gone_at=None).update(gone_at=Now())


def report_lines(user_id: UUID) -> Sequence[ErasureReportLine]:
    """What the parts said, in order."""
    rows = Line.objects.filter(user_id=user_id).order_by("part")
    return [ErasureReportLine(*row) for row in rows.values_list("part", "said", "at")]


def _drop_what_belongs_to(user_id: UUID) -> None:
    theirs = Subject.objects.filter(user_id=user_id, email_hmac__isnull=False)
    Letter.objects.filter(email_hmac__in=theirs.values("email_hmac")).delete()
    for model in _belongings():
        model._default_manager.filter(user_id=user_id).delete()  # noqa: SLF001 - Django's public name


def _belongings() -> Sequence[type[Model]]:
    """Every table of the vault that says whose its rows are, but for those that are kept."""
    kept = (Subject, Erasure, Line)
    return [
        model
        for model in apps.get_app_config("vault").get_models()
        if model not in kept and any(field.name == "user_id" for field in model._meta.fields)  # noqa: SLF001 - as above
    ]
