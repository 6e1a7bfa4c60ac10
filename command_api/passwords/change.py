"""How does another password take the place of the one before?

In one transaction of the vault, which locks the person's row and ends all log-ins, in the log and
here. If it ends half-way, the log-ins have ended and the old password stays. A log-in that comes
meanwhile waits for the row, and finds that its password is an old one.
"""

from uuid import UUID

from django.db import transaction

from command_api.accounts import passwords, personal_names
from command_api.accounts.personal_names import PersonalNames
from command_api.emails import verification
from command_api.http import token_revocation
from command_api.sessions import login_rate_limit, logout
from events.recorded import Origin, Position
from events.vault import outgoing_mail, subjects
from events.vault.models import Purpose
from infra.errors import Conflict, Invalid, Unauthenticated


def change(user_id: UUID, *, old: str, new: str, origin: Origin) -> Position:
    """Let a person have another password; raises Invalid for the wrong old or a weak new one."""
    known, names = subjects.credentials_of(user_id), personal_names.names_of(user_id)
    if known is None or names is None:
        raise Unauthenticated
    if not passwords.is_correct(old, known.password_hash):
        raise Invalid("It was not changed.", errors=[("old", "This is not your password.")])
    digest = _digest(new, names, field="new")
    with transaction.atomic(using="vault"):
        position = _replace(user_id, was=known.password_hash, now=digest, origin=origin)
    token_revocation.clear_cache()
    return position


def reset(token: str, *, password: str, origin: Origin) -> Position:
    """Let whoever read our letter have another password; raises Invalid, and then it counts on."""
    user_id = outgoing_mail.token_owner(Purpose.RESET, token)
    known = None if user_id is None else subjects.credentials_of(user_id)
    names = None if user_id is None else personal_names.names_of(user_id)
    if user_id is None or known is None or names is None:
        raise verification.invalid_token()
    digest = _digest(password, names, field="password")
    with transaction.atomic(using="vault"):
        if not outgoing_mail.consume_token(Purpose.RESET, token):
            raise verification.invalid_token()
        verification.mark_verified(user_id, origin=origin)
        position = _replace(user_id, was=known.password_hash, now=digest, origin=origin)
    token_revocation.clear_cache()
    return position


def _replace(user_id: UUID, *, was: str, now: str, origin: Origin) -> Position:
    if not subjects.replace_password(user_id, was=was, now=now):
        raise Conflict("The password was changed at this moment.")
    outgoing_mail.delete_tokens(user_id)
    login_rate_limit.forget_addresses(subjects.login_digests_of(user_id))
    return logout.end_all_sessions(user_id, origin=origin).position


def _digest(password: str, names: PersonalNames, *, field: str) -> str:
    passwords.refuse_weak(password, username=names.username, email=names.email, field=field)
    return passwords.hash_password(password)
