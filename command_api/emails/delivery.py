"""Mail delivery: a background thread sends the letters queued in the vault.

Each process of the command API has one. It wakes up when its process enqueues a letter, and every
30 s for letters that other processes left. Requests do not wait for it, so response times do not
reveal whether an e-mail was sent; nor do the metrics, because a letter to an unknown address takes
the same steps up to the sending. A letter stays in the vault until it was sent, so a crash loses
none.
"""

from threading import Thread

import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections

from command_api.emails import messages
from events.vault import outgoing_mail
from events.vault.outgoing_mail import QueuedLetter
from infra.observability import count

MAX_TRIES = 7
"""After 1, 2, 4... minutes: about an hour in total, after which no one waits for the message."""
_EVERY_SECONDS = 30.0

_log = structlog.get_logger(__name__)


def start() -> None:
    Thread(target=_run, name="mail-delivery", daemon=True).start()


def deliver() -> int:
    """Send all letters that are due; return how many were sent."""
    sent = 0
    while (letter := outgoing_mail.lease()) is not None:
        sent += _deliver(letter)
    return sent


def _run() -> None:
    while True:
        outgoing_mail.letter_enqueued.wait(_EVERY_SECONDS)
        outgoing_mail.letter_enqueued.clear()
        close_old_connections()
        try:
            deliver()
        except DatabaseError as fault:
            _log.warning("mail delivery is waiting; a database is unavailable", fault=repr(fault))


def _deliver(letter: QueuedLetter) -> bool:
    if letter.tries == 1:
        count("marquee_letters_total", outcome="taken_up")
    try:
        connection = messages.connect()
    except OSError as fault:  # smtplib's errors are such, too
        count("marquee_letters_total", outcome="unreachable")
        _put_off(letter, fault)
        return False
    try:
        was_sent = messages.send(letter, connection)
    except DatabaseError:
        raise
    except Exception as fault:  # noqa: BLE001 - one letter's failure must not stop the others
        _put_off(letter, fault)
        return False
    finally:
        connection.close()
    outgoing_mail.delete(letter.letter)
    return was_sent


def _put_off(letter: QueuedLetter, fault: Exception) -> None:
    is_over = letter.tries >= MAX_TRIES
    _log.warning(
        "e-mail not sent; given up" if is_over else "e-mail not sent; will be tried again",
        letter=str(letter.letter),
        fault=_reason(fault),
    )
    if is_over:
        outgoing_mail.delete(letter.letter)


def _reason(fault: Exception) -> str:
    """What failed, without the message: in it mail servers repeat the address."""
    code = getattr(fault, "smtp_code", None) or getattr(fault, "errno", None)
    return f"{type(fault).__name__} {code or ''}".rstrip()
