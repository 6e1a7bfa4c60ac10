"""How are the platform's keys made, shown and changed?"""

from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandParser

from infra import keys
from infra.config import config


class Command(BaseCommand):
    help = "Make, show or rotate the keys under MARQUEE_KEYS_DIR."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("create", help="make what is missing; what is there stays")
        actions.add_parser("show", help="which keys there are; no secrets")
        actions.add_parser(
            "rotate",
            help="sign access tokens with a new key; those of the key before stay good,"
            " those of older keys end",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        root = config().keys_dir
        action: Literal["create", "show", "rotate"] = options["action"]
        match action:
            case "create":
                self._tell("made", [str(path) for path in keys.create(root)])
            case "rotate":
                self._tell("made", [str(path) for path in keys.rotate(root)])
            case "show":
                self._tell("signs", keys.kids(keys.private_dir(root))[-1:])
                self._tell("verifies", keys.kids(keys.public_dir(root)))

    def _tell(self, verb: str, names: list[str]) -> None:
        for name in names or ["nothing"]:
            self.stdout.write(f"{verb} {name}")
