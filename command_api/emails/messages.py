"""What do we write to people, and to which address?

To the one that they registered with, never to the one that somebody typed: two that are taken for
the same need not lead to the same person.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from django.core.mail import send_mail

from command_api.accounts import personal_names
from command_api.accounts.personal_names import PersonalNames
from events.vault import outgoing_mail
from events.vault.models import Purpose
from events.vault.outgoing_mail import QueuedLetter
from infra.config import config

PAUSE = timedelta(minutes=5)
"""However often somebody asks, nobody is written to more often about the same."""
_PLACE = "{token}"


class MessageTemplate(NamedTuple):
    """How letters of one purpose read."""

    subject: str
    wanted: str
    otherwise: str
    call: str
    """What to send the token to, where no page takes it."""


TEMPLATES: Mapping[Purpose, MessageTemplate] = {
    Purpose.VERIFY: MessageTemplate(
        subject="Is this your address?",
        wanted="This address was given for an account of yours. To say that it is yours,",
        otherwise="If you did not open an account, there is nothing to do.",
        call="POST /v1/accounts/verify-email",
    ),
    Purpose.RESET: MessageTemplate(
        subject="A new password",
        wanted="Somebody, you perhaps, wants to choose a new password for your account. To do so,",
        otherwise="If it was not you, there is nothing to do: your password stays as it is.",
        call="POST /v1/passwords/reset",
    ),
}


def life_of(purpose: Purpose) -> timedelta:
    """How long a letter can be answered."""
    match purpose:
        case Purpose.VERIFY:
            return timedelta(hours=config().verify_hours)
        case Purpose.RESET:
            return timedelta(minutes=config().reset_minutes)


def send(wish: QueuedLetter) -> bool:
    """Write the letter; False when there is nobody to write to, or a letter is on its way."""
    user_id = outgoing_mail.recipient(wish.email_hmac)
    names = None if user_id is None else personal_names.names_of(user_id)
    if user_id is None or names is None:
        return False
    life = life_of(wish.purpose)
    # Whoever tried before may have died with the token in hand: then nothing is on its way.
    pause = PAUSE if wish.tries == 1 else timedelta()
    token = outgoing_mail.make_token(user_id, wish.purpose, life=life, pause=pause)
    if token is None:
        return False
    try:
        _send(names, wish.purpose, token, life)
    except Exception:
        outgoing_mail.consume_token(
            wish.purpose, token
        )  # or the next try would wait for its answer
        raise
    return True


def _send(names: PersonalNames, purpose: Purpose, token: str, life: timedelta) -> None:
    template, page = TEMPLATES[purpose], _pages()[purpose]
    how = (
        f"open {page.replace(_PLACE, token)}"
        if page
        else f"send this to {template.call} as its token:\n\n{token}"
    )
    lines = (
        f"Hello {names.username},",
        f"{template.wanted} {how}",
        f"It counts once, and for {_in_words(life)}. {template.otherwise}",
    )
    send_mail(template.subject, "\n\n".join(lines) + "\n", None, [names.email])


def _pages() -> Mapping[Purpose, str]:
    return {Purpose.VERIFY: config().verify_url, Purpose.RESET: config().reset_url}


def _in_words(life: timedelta) -> str:
    minutes = round(life.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return f"{minutes} minutes" if rest or hours < 2 else f"{hours} hours"  # noqa: PLR2004 - "60 minutes" reads better than "1 hours"
