"""E-mail messages: texts, tokens and recipients.

A message goes to the address that was registered, never to the one that was typed: two addresses
that count as equal need not reach the same person.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.core.mail import get_connection, send_mail
from django.core.mail.backends.base import BaseEmailBackend

from command_api.accounts import personal_names
from command_api.accounts.personal_names import PersonalNames
from events.vault import outgoing_mail
from events.vault.models import Purpose
from events.vault.outgoing_mail import QueuedLetter
from infra.config import config

PAUSE = timedelta(minutes=5)
"""Minimum time between two messages of one purpose to a user."""
_PLACEHOLDER = "{token}"


class MessageTemplate(NamedTuple):
    subject: str
    reason: str
    if_unexpected: str
    request: str
    """The request that takes the token, where the platform has no page for it."""


TEMPLATES: Mapping[Purpose, MessageTemplate] = {
    Purpose.VERIFY: MessageTemplate(
        subject="Verify your e-mail address",
        reason="An account was registered with this address. To verify that it is yours,",
        if_unexpected="If you did not register, ignore this message.",
        request="POST /v1/accounts/verify-email",
    ),
    Purpose.RESET: MessageTemplate(
        subject="Reset your password",
        reason="Someone asked to reset the password of your account. To choose a new one,",
        if_unexpected="If it was not you, ignore this message: your password stays as it is.",
        request="POST /v1/passwords/reset",
    ),
}


def token_lifetime(purpose: Purpose) -> timedelta:
    match purpose:
        case Purpose.VERIFY:
            return timedelta(hours=config().verify_hours)
        case Purpose.RESET:
            return timedelta(minutes=config().reset_minutes)


def connect() -> BaseEmailBackend:
    """A connection to the mail server, opened; mail that is printed or filed needs none."""
    connection = get_connection()
    if settings.EMAIL_HOST:
        connection.open()
    return connection


def send(letter: QueuedLetter, connection: BaseEmailBackend) -> bool:
    """Send the message; False if there is no recipient or they got one a moment ago."""
    user_id = outgoing_mail.recipient(letter.email_hmac)
    names = None if user_id is None else personal_names.names_of(user_id)
    if user_id is None or names is None:
        return False
    life = token_lifetime(letter.purpose)
    # A repeated try needs no pause: the process of the last one may have died before it sent.
    pause = PAUSE if letter.tries == 1 else timedelta()
    token = outgoing_mail.make_token(user_id, letter.purpose, life=life, pause=pause)
    if token is None:
        return False
    try:
        _send(names, letter.purpose, token, life, connection)
    except Exception:
        outgoing_mail.consume_token(letter.purpose, token)  # or the next try would have to wait
        raise
    return True


def _send(
    names: PersonalNames,
    purpose: Purpose,
    token: str,
    life: timedelta,
    connection: BaseEmailBackend,
) -> None:
    pages = {Purpose.VERIFY: config().verify_url, Purpose.RESET: config().reset_url}
    template, page = TEMPLATES[purpose], pages[purpose]
    instruction = (
        f"open {page.replace(_PLACEHOLDER, token)}"
        if page
        else f"send this token with {template.request}:\n\n{token}"
    )
    lines = (
        f"Hello {names.username},",
        f"{template.reason} {instruction}",
        f"This works once, within {_in_words(life)}. {template.if_unexpected}",
    )
    text = "\n\n".join(lines) + "\n"
    send_mail(template.subject, text, None, [names.email], connection=connection)


def _in_words(life: timedelta) -> str:
    minutes = round(life.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return f"{minutes} minutes" if rest or hours < 2 else f"{hours} hours"  # noqa: PLR2004 - "60 minutes" reads better than "1 hours"
