"""Verification of e-mail addresses by mailed tokens."""

from uuid import UUID

from command_api import event_store
from command_api.accounts import personal_names
from command_api.aggregate import Handled, handle
from command_api.emails.decider import EmailState, VerifyEmail, email
from events.recorded import Origin
from events.vault import outgoing_mail
from events.vault.models import Purpose
from infra.errors import Invalid


def verify(token: str, *, origin: Origin) -> Handled[EmailState]:
    """Verify the address that the token was mailed to; raises Invalid for an invalid token."""
    user_id = outgoing_mail.token_owner(Purpose.VERIFY, token)
    if user_id is None:
        raise invalid_token()
    handled = mark_verified(user_id, origin=origin)
    outgoing_mail.consume_token(Purpose.VERIFY, token)  # last: verifying twice does no harm
    return handled


def mark_verified(user_id: UUID, *, origin: Origin) -> Handled[EmailState]:
    return handle(VerifyEmail(user_id), email, event_store.store(), origin=origin)


def resend(user_id: UUID) -> None:
    """Send the verification e-mail again, unless the address is verified."""
    names = personal_names.names_of(user_id)
    if names is not None and not is_verified(user_id):
        outgoing_mail.enqueue(Purpose.VERIFY, email=names.email)


def is_verified(user_id: UUID) -> bool:
    history = event_store.store().read(email.stream(VerifyEmail(user_id)))
    return email.state(history).is_verified


def invalid_token() -> Invalid:
    """Return the same error for every invalid token, so that it does not reveal the reason."""
    reason = "It was used, has expired, or was never issued. Ask for a new e-mail."
    return Invalid("The token is not valid.", errors=[("token", reason)])
