"""manage.py grant_staff: how does a person make someone one of the staff, or end that?"""

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
    """``manage.py grant_staff``"""

    help = (
        "Make someone one of the staff, who may ask for the past (As-Of) and look at the tables of"
        " the catalogue (/admin/). It holds from their next log-in or refresh on. --revoke ends it,"
        " and all their log-ins with it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who, and which way."""
        parser.add_argument("user", metavar="USER", help="a username, an e-mail address or an id")
        parser.add_argument("--revoke", action="store_true", help="staff no more")

    def handle(self, *_args: object, **options: Any) -> None:
        """Do it; once more is as good as once."""
        user_id = find(options["user"])
        origin = Origin(correlation_id=uuid4())
        if options["revoke"]:
            self._revoke(user_id, options["user"], origin)
            return
        is_news = grant(user_id, origin=origin).events
        already = "" if is_news else " already"
        self.stdout.write(
            f"{options['user']} ({user_id}) is staff{already}."
            " Access tokens say so from the next log-in or refresh on."
        )

    def _revoke(self, user_id: UUID, name: str, origin: Origin) -> None:
        try:
            revoke(user_id, origin=origin)
        except NotFound as error:
            raise CommandError(f"{name} ({user_id}): {error.detail}") from error
        # In this order no token can be made that says "staff" and outlives it. If only the first
        # step was done, because somebody ended this, the second is done by the next.
        logout.end_all_sessions(user_id, origin=origin)
        self.stdout.write(f"{name} ({user_id}) is staff no more. All their log-ins have ended.")
