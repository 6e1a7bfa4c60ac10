"""manage.py keys: create, show and rotate keys; export and import the vault's people."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_IRWXG, S_IRWXO
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.vault import transfer
from infra.config import config
from infra.security import keys

_WARNING = """\
{path} decrypts every personal field of the log and holds all password hashes. Keep it apart from
the log's export, encrypt it, and delete it after the import. Users who are erased from now on are
still in it: never import it after an erasure. The new platform also needs {pepper} of this
platform's keys, or no user can log in."""


class Command(BaseCommand):
    help = (
        "Create, show or rotate the keys under MARQUEE_KEYS_DIR; export or import the people of the"
        " vault, with the keys of their encrypted fields."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("create", help="create missing keys; existing ones stay")
        actions.add_parser("show", help="list the keys; prints no secrets")
        rotate = actions.add_parser(
            "rotate",
            help="sign access tokens with a new key; tokens of the previous key stay valid,"
            " tokens of older keys become invalid",
        )
        rotate.add_argument(
            "--at-once",
            action="store_true",
            help="even if tokens of the dropped key are still valid: for a leaked key",
        )

        export = actions.add_parser(
            "export",
            help="write the people of the vault to a file that only its owner may read; run it"
            " after events export, so that no user of the log is missing",
        )
        export.add_argument("file", type=Path)
        import_ = actions.add_parser(
            "import", help="import such a file, plain or gzipped, into an empty vault"
        )
        import_.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        root = config().keys_dir
        action: Literal["create", "show", "rotate", "export", "import"] = options["action"]
        match action:
            case "create":
                self._print("made", [str(path) for path in keys.create(root)])
            case "rotate":
                if not options["at_once"]:
                    _refuse_too_soon(root)
                self._print("made", [str(path) for path in keys.rotate(root)])
            case "show":
                self._print("signs", keys.kids(keys.private_dir(root))[-1:])
                self._print("verifies", keys.kids(keys.public_dir(root)))
            case "export":
                self._export(options["file"])
            case "import":
                self._import(options["file"])

    def _export(self, path: Path) -> None:
        try:
            written = sum(1 for _ in transfer.export_people(path))
        except transfer.ErasureInProgress as error:
            raise CommandError(f"{error} Nothing was written.") from error
        self.stdout.write(f"{written} people in {path}.")
        self.stderr.write(_WARNING.format(path=path, pepper=keys.PEPPER))

    def _import(self, path: Path) -> None:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        if path.stat().st_mode & (S_IRWXG | S_IRWXO):
            self.stderr.write(f"{path} is accessible to other users: chmod 600 it.")
        try:
            imported = sum(transfer.import_people(path))
        except transfer.InvalidVaultExport as error:
            raise CommandError(f"{error} Nothing was imported.") from error
        self.stdout.write(
            f"{imported} people imported. Their log-ins have ended: they log in again."
        )

    def _print(self, verb: str, names: list[str]) -> None:
        for name in names or ["nothing"]:
            self.stdout.write(f"{verb} {name}")


def _refuse_too_soon(root: Path) -> None:
    """Raise CommandError while tokens of the key that would be dropped may be valid."""
    verifying = keys.kids(keys.public_dir(root))
    if len(verifying) < 2:  # noqa: PLR2004 - one stays valid beside the new one
        return
    expiry = keys.made_at(verifying[-1]) + timedelta(minutes=config().access_minutes)
    if datetime.now(UTC) < expiry:
        raise CommandError(
            f"Tokens of {verifying[0]} are valid until {expiry:%H:%M:%S} UTC: wait until then, or"
            " invalidate them with --at-once."
        )
