"""Change and reset of a password, which end all log-ins.

Both happen in one vault transaction that locks the user's row and ends the log-ins in log and
vault. If it stops half-way, the log-ins have ended and the old password stays. A concurrent log-in
waits for the row lock, and then finds that its password is an old one.
"""

from uuid import UUID

from django.db import transaction

from command_api.accounts import password_hashing, personal_names
from command_api.accounts.personal_names import PersonalNames
from command_api.emails import verification
from command_api.http import token_revocation
from command_api.sessions import login_rate_limit, logout
from events.recorded import Origin, Position
from events.vault import outgoing_mail, subjects
from events.vault.models import Purpose
from infra.errors import Conflict, Invalid, Unauthenticated


def change(user_id: UUID, *, old: str, new: str, origin: Origin) -> Position:
    """Change a password; raises Invalid if the old one is wrong or the new one is weak."""
    credentials, names = subjects.credentials_of(user_id), personal_names.names_of(user_id)
    if credentials is None or names is None:
        raise Unauthenticated
    if not password_hashing.is_correct(old, credentials.password_hash):
        reason = "This is not your current password."
        raise Invalid("The password was not changed.", errors=[("old", reason)])
    password_hash = _hash(new, names, field="new")
    with transaction.atomic(using="vault"):
        position = _replace(
            user_id, was=credentials.password_hash, now=password_hash, origin=origin
        )
    token_revocation.clear_cache()
    return position


def reset(token: str, *, password: str, origin: Origin) -> Position:
    """Set a new password with a mailed token; raises Invalid, and then the token stays valid."""
    user_id = outgoing_mail.token_owner(Purpose.RESET, token)
    credentials = None if user_id is None else subjects.credentials_of(user_id)
    names = None if user_id is None else personal_names.names_of(user_id)
    if user_id is None or credentials is None or names is None:
        raise verification.invalid_token()
    password_hash = _hash(password, names, field="password")
    with transaction.atomic(using="vault"):
        if not outgoing_mail.consume_token(Purpose.RESET, token):
            raise verification.invalid_token()
        verification.mark_verified(user_id, origin=origin)
        position = _replace(
            user_id, was=credentials.password_hash, now=password_hash, origin=origin
        )
    token_revocation.clear_cache()
    return position


def _replace(user_id: UUID, *, was: str, now: str, origin: Origin) -> Position:
    if not subjects.replace_password(user_id, was=was, now=now):
        raise Conflict("The password was changed by another request. Log in again.")
    outgoing_mail.delete_tokens(user_id)
    login_rate_limit.forget_addresses(subjects.login_digests_of(user_id))
    return logout.end_all_sessions(user_id, origin=origin).position


def _hash(password: str, names: PersonalNames, *, field: str) -> str:
    password_hashing.refuse_weak(password, username=names.username, email=names.email, field=field)
    return password_hashing.hash_password(password)
