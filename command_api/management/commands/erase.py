"""manage.py erase: how does a person have somebody forgotten?"""

from argparse import ArgumentParser
from collections.abc import Mapping
from time import sleep
from typing import Any
from uuid import UUID, uuid4

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from command_api import event_store
from command_api.accounts.personal_names import names_of
from command_api.erasure import process
from command_api.http import token_revocation
from command_api.management.find_user import find
from events.recorded import Origin
from events.vault import erasures
from events.vault.subjects import KeyMissing

_PATIENCE_SECONDS = 60.0


class Command(BaseCommand):
    """``manage.py erase``"""

    help = (
        "Forget somebody for good: the key of what they wrote is destroyed, everything of theirs"
        " is purged; how they rated stays as statistics of nobody. Ends with a report, and with 1"
        " unless its every line says gone. Can be interrupted and run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom."""
        parser.add_argument(
            "user", nargs="?", metavar="USER", help="a username, an e-mail address or an id"
        )
        parser.add_argument(
            "--restored",
            action="store_true",
            help="instead: after a backup of the log or the vault was brought back, erase again"
            " everyone whose erasure one of the two has forgotten; and carry on what stopped",
        )
        parser.add_argument(
            "--wait",
            type=float,
            default=_PATIENCE_SECONDS,
            metavar="SECONDS",
            help="how long to wait for projectors to let go (%(default)s)",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Do it, and see that it is done."""
        if bool(options["user"]) == options["restored"]:
            raise CommandError("Say whom, or --restored.")
        if options["restored"]:
            self._recall()
            return
        user_id = find(options["user"])
        names = _names(user_id)
        _erase(user_id)
        self.stdout.write(f"{user_id} is erased. What is left of them:")
        call_command(
            "erasure_report",
            str(user_id),
            wait=options["wait"],
            **names,
        )

    def _recall(self) -> None:
        vault = process.erase_again_in_vault()
        found = process.erase_again_in_log()
        carried = process.sweep()
        self.stdout.write(
            f"Erased again in the vault: {vault}. Said again to the log: {found}."
            f" Carried on: {carried}. Of each: manage.py erasure_report ID."
        )


def _erase(user_id: UUID) -> None:
    origin = Origin(correlation_id=uuid4())
    process.mark_for_erasure(user_id)
    process.complete(user_id, origin=origin)
    # For so long some process may believe in a token of theirs; what came in is behind us then.
    sleep(token_revocation.FRESH_SECONDS)
    if process.has_events_after_erasure(user_id, event_store.store()):
        erasures.resume(user_id)
        process.complete(user_id, origin=origin)


def _names(user_id: UUID) -> Mapping[str, str]:
    """What they are called, as long as that can be read: it is what is searched for in the end."""
    try:
        names = names_of(user_id)
    except KeyMissing:
        return {}
    return {} if names is None else names._asdict()
