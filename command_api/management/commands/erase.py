"""manage.py erase: erase a user for good."""

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
    help = (
        "Erase a user for good: destroy the key of their personal data and purge the rest. Their"
        " ratings stay as anonymous statistics. Prints a report; the exit code is 1 unless every"
        " line of it says gone. Can be interrupted and run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "user", nargs="?", metavar="USER", help="a username, an e-mail address or an id"
        )
        parser.add_argument(
            "--restored",
            action="store_true",
            help="instead of one user: after a backup of the log or the vault was restored, erase"
            " again every user whose erasure either of them lacks, and resume stopped erasures",
        )
        parser.add_argument(
            "--wait",
            type=float,
            default=_PATIENCE_SECONDS,
            metavar="SECONDS",
            help="how long to wait for the projectors to purge the user (%(default)s)",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        if bool(options["user"]) == options["restored"]:
            raise CommandError("Give a user, or --restored.")
        if options["restored"]:
            self._erase_again()
            return
        user_id = find(options["user"])
        names = _names(user_id)
        _erase(user_id)
        self.stdout.write(f"{user_id} is erased. What is left of them:")
        call_command("erasure_report", str(user_id), wait=options["wait"], **names)

    def _erase_again(self) -> None:
        in_vault = process.erase_again_in_vault()
        in_log = process.erase_again_in_log()
        resumed = process.sweep()
        self.stdout.write(
            f"Erased again in the vault: {in_vault}. Appended again to the log: {in_log}."
            f" Resumed: {resumed}. Check each with: manage.py erasure_report ID."
        )


def _erase(user_id: UUID) -> None:
    origin = Origin(correlation_id=uuid4())
    process.mark_for_erasure(user_id)
    process.complete(user_id, origin=origin)
    # Other processes accept the user's tokens for this long: late commands follow the erasure.
    sleep(token_revocation.FRESH_SECONDS)
    if process.has_events_after_erasure(user_id, event_store.store()):
        erasures.resume(user_id)
        process.complete(user_id, origin=origin)


def _names(user_id: UUID) -> Mapping[str, str]:
    """The user's names, which the report searches for; empty when their key is gone."""
    try:
        names = names_of(user_id)
    except KeyMissing:
        return {}
    return {} if names is None else names._asdict()
