"""Who takes letters to the mail server, and when?

A thread of each process of the command API: at once when one is wished for there, and every so
often for what was left over. Nobody waits for it, so that the time of an answer does not tell
whether anybody was written to; and no letter is lost with a process, for the vault keeps it until
it was sent.
"""

from threading import Thread

import structlog
from django.db import Error as DatabaseError
from django.db import close_old_connections

from command_api.emails import messages
from events.vault import outgoing_mail
from events.vault.outgoing_mail import QueuedLetter
from infra.observability import count

MOST_TRIES = 7
"""After a minute, two, four...: an hour all in all, which is as long as somebody may wait."""
_EVERY_SECONDS = 30.0

_log = structlog.get_logger(__name__)


def start() -> None:
    """Go about it for as long as the process lives."""
    Thread(target=_go_about, name="postman", daemon=True).start()


def deliver() -> int:
    """Take what is due; how many letters were sent."""
    sent = 0
    while (wish := outgoing_mail.lease()) is not None:
        sent += _deliver(wish)
    return sent


def _go_about() -> None:
    while True:
        outgoing_mail.letter_enqueued.wait(_EVERY_SECONDS)
        outgoing_mail.letter_enqueued.clear()
        close_old_connections()
        try:
            deliver()
        except DatabaseError as fault:
            _log.warning("letters wait, for a database is away", fault=repr(fault))


def _deliver(wish: QueuedLetter) -> bool:
    try:
        was_sent = messages.send(wish)
    except DatabaseError:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever it is, others get their letters
        is_over = wish.tries >= MOST_TRIES
        count("marquee_letters_total", outcome="given_up" if is_over else "failed")
        letter = str(wish.letter)
        _log.warning("letter not sent", letter=letter, again=not is_over, fault=repr(fault))
        if is_over:
            outgoing_mail.delete(wish.letter)
        return False
    outgoing_mail.delete(wish.letter)
    count("marquee_letters_total", outcome="sent" if was_sent else "nobody")
    return was_sent
