"""Registration: reserve the names in the vault, append the event, activate, send the first e-mail.

Log and vault are two databases, so a registration may stop, or pause, after each step.
``reservation_cleanup`` then completes or releases it.
"""

from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from django.db import connection, transaction

from command_api import event_store
from command_api.accounts import password_hashing, reservation_cleanup
from command_api.accounts.decider import Register, account
from command_api.aggregate import handle
from command_api.preferences.decider import ChangePreferences, preferences
from events.recorded import Origin, Position
from events.vault import outgoing_mail, subjects
from events.vault.encryption import encrypt_field
from events.vault.models import Purpose
from events.vault.subjects import NamesTaken
from infra.errors import Conflict

# Far below subjects.ORPHANED_AFTER, so that a slow registration is not released.
_STATEMENT_TIMEOUT = "10s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    username: str
    email: str
    password: str
    genres: tuple[str, ...] = ()


def register(applicant: Applicant, *, origin: Origin) -> tuple[UUID, Position]:
    """Open an account; return the user and the last event's position.

    Raises Conflict when the names are taken, Invalid for a weak password.
    """
    password_hashing.refuse_weak(
        applicant.password, username=applicant.username, email=applicant.email
    )
    user_id = uuid4()
    key = _reserve(user_id, applicant)
    # A failure from here on may follow a commit, so nothing is undone here.
    return user_id, _append(user_id, key, applicant, origin)


def _reserve(user_id: UUID, applicant: Applicant) -> bytes:
    password_hash = password_hashing.hash_password(applicant.password)
    names = {"username": applicant.username, "email": applicant.email}
    try:
        return subjects.reserve(user_id, **names, password_hash=password_hash)
    except NamesTaken as taken:  # without fields where they were released meanwhile
        if taken.fields and not reservation_cleanup.resolve(subjects.orphans(**names)):
            raise _conflict(taken) from taken
    try:
        return subjects.reserve(user_id, **names, password_hash=password_hash)
    except NamesTaken as taken:
        raise _conflict(taken) from taken


def _append(user_id: UUID, key: bytes, applicant: Applicant, origin: Origin) -> Position:
    command = Register(
        user_id,
        username=encrypt_field(key, subject=user_id, field="username", text=applicant.username),
        email=encrypt_field(key, subject=user_id, field="email", text=applicant.email),
    )
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_STATEMENT_TIMEOUT])
        reservation_cleanup.renew(user_id)
        position = handle(command, account, event_store.store(), origin=origin).position
        if applicant.genres:
            genres = ChangePreferences(user_id=user_id, genres=applicant.genres)
            position = handle(genres, preferences, event_store.store(), origin=origin).position
        transaction.on_commit(partial(_open, user_id, applicant.email))
    return position


def _open(user_id: UUID, email: str) -> None:
    subjects.activate(user_id)
    outgoing_mail.enqueue(Purpose.VERIFY, email=email)


def _conflict(taken: NamesTaken) -> Conflict:
    reason = "This is in use by another account. Choose another one."
    return Conflict(
        "The username or e-mail address is taken.",
        errors=[(field, reason) for field in taken.fields],
    )
