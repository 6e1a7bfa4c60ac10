"""How does an address come to be known as its owner's?

Whoever brings the token of a letter has read it.
"""

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
    """Know the address that the token was sent to; raises Invalid for one that counts no more."""
    user_id = outgoing_mail.token_owner(Purpose.VERIFY, token)
    if user_id is None:
        raise invalid_token()
    handled = mark_verified(user_id, origin=origin)
    outgoing_mail.consume_token(Purpose.VERIFY, token)  # last: done twice it is as good as once
    return handled


def mark_verified(user_id: UUID, *, origin: Origin) -> Handled[EmailState]:
    """The address of a person is theirs."""
    return handle(VerifyEmail(user_id), email, event_store.store(), origin=origin)


def resend(user_id: UUID) -> None:
    """Write to a person once more, unless their address is known already."""
    names = personal_names.names_of(user_id)
    if names is not None and not is_verified(user_id):
        outgoing_mail.enqueue(Purpose.VERIFY, email=names.email)


def is_verified(user_id: UUID) -> bool:
    """Whether the address of a person is known to be theirs."""
    history = event_store.store().read(email.stream(VerifyEmail(user_id)))
    return email.state(history, since=email.initial).is_verified


def invalid_token() -> Invalid:
    """The same for every token that does not count, whatever it once was."""
    reason = "It was used, has expired, or was never given out."
    return Invalid("The token does not count.", errors=[("token", reason)])
