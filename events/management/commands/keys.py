"""How are the platform's keys made, shown and changed, and those of its people taken elsewhere?"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_IRWXG, S_IRWXO
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.vault import transfer
from infra.config import config
from infra.security import keys

_WARNING = """\
{path} opens every sealed field of the log and holds everyone's password hash. Keep it apart from
the log's export, encrypt it, and delete it once it was imported. Who is erased from now on is still
in it: what was exported before an erasure must not be brought back after it. The new place also
needs {pepper} of this platform's keys, or nobody's name is found."""


class Command(BaseCommand):
    help = (
        "Make, show or rotate the keys under MARQUEE_KEYS_DIR; export and import the people of the"
        " vault, with the keys of their sealed fields."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("create", help="make what is missing; what is there stays")
        actions.add_parser("show", help="which keys there are; no secrets")
        rotate = actions.add_parser(
            "rotate",
            help="sign access tokens with a new key; those of the key before stay good,"
            " those of older keys end",
        )
        rotate.add_argument(
            "--at-once",
            action="store_true",
            help="though tokens of the key that goes are still good: a key got into wrong hands",
        )

        export = actions.add_parser(
            "export",
            help="write the people of the vault to a file that only its owner may read; after"
            " events export, so that nobody of the log is missing",
        )
        export.add_argument("file", type=Path)
        bring = actions.add_parser("import", help="bring such a file into an empty vault")
        bring.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        root = config().keys_dir
        action: Literal["create", "show", "rotate", "export", "import"] = options["action"]
        match action:
            case "create":
                self._tell("made", [str(path) for path in keys.create(root)])
            case "rotate":
                if not options["at_once"]:
                    _refuse_too_soon(root)
                self._tell("made", [str(path) for path in keys.rotate(root)])
            case "show":
                self._tell("signs", keys.kids(keys.private_dir(root))[-1:])
                self._tell("verifies", keys.kids(keys.public_dir(root)))
            case "export":
                self._export(options["file"])
            case "import":
                self._import(options["file"])

    def _export(self, path: Path) -> None:
        try:
            written = sum(1 for _ in transfer.write(path))
        except transfer.ErasureUnderWay as error:
            raise CommandError(f"{error} Nothing was written.") from error
        self.stdout.write(f"{written} people in {path}.")
        self.stderr.write(_WARNING.format(path=path, pepper=keys.PEPPER))

    def _import(self, path: Path) -> None:
        if path.stat().st_mode & (S_IRWXG | S_IRWXO):
            self.stderr.write(f"Others than its owner may read or change {path}: chmod 600 it.")
        try:
            brought = sum(transfer.bring_back(path))
        except transfer.NotThisVault as error:
            raise CommandError(f"{error} Nobody was brought back.") from error
        self.stdout.write(f"{brought} people brought back. Their log-ins ended: they log in again.")

    def _tell(self, verb: str, names: list[str]) -> None:
        for name in names or ["nothing"]:
            self.stdout.write(f"{verb} {name}")


def _refuse_too_soon(root: Path) -> None:
    """Raise CommandError while tokens of the key that would go may still be good."""
    verifying = keys.kids(keys.public_dir(root))
    if len(verifying) < 2:  # noqa: PLR2004 - one stays good beside the new one
        return
    over = keys.made_at(verifying[-1]) + timedelta(minutes=config().access_minutes)
    if datetime.now(UTC) < over:
        raise CommandError(
            f"Tokens of {verifying[0]} are good until {over:%H:%M:%S} UTC: wait until then, or end"
            " them with --at-once."
        )
