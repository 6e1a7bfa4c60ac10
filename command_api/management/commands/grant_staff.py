"""manage.py grant_staff: grant or revoke the staff role."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand, CommandError

from command_api.management.find_user import find
from command_api.sessions import logout
from command_api.staff.grants import grant, revoke
from events.recorded import Origin
from infra.errors import NotFound


class Command(BaseCommand):
    help = (
        "Grant the staff role: staff may read the past (As-Of) and the catalogue's tables"
        " (/admin/). Holds from the user's next log-in or refresh on. --revoke takes the role back"
        " and ends all log-ins of the user."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="a username, an e-mail address or an id")
        parser.add_argument("--revoke", action="store_true", help="take the role back")

    def handle(self, *_args: object, **options: Any) -> None:
        user_id = find(options["user"])
        origin = Origin(correlation_id=uuid4())
        if options["revoke"]:
            self._revoke(user_id, options["user"], origin)
            return
        is_new = grant(user_id, origin=origin).events
        already = "" if is_new else " already"
        self.stdout.write(
            f"{options['user']} ({user_id}) is staff{already}."
            " Access tokens say so from the next log-in or refresh on."
        )

    def _revoke(self, user_id: UUID, name: str, origin: Origin) -> None:
        try:
            revoke(user_id, origin=origin)
        except NotFound as error:
            raise CommandError(f"{name} ({user_id}): {error.detail}") from error
        # In this order no token with the role can outlive it. If the command is stopped between
        # the two steps, running it again does the second.
        logout.end_all_sessions(user_id, origin=origin)
        self.stdout.write(f"{name} ({user_id}) is no longer staff. All their log-ins have ended.")
