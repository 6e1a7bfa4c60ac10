"""Base of the import commands: session, exit codes and messages."""

from abc import abstractmethod
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from command_api.event_store import store
from command_api.imports import data_sets
from command_api.imports.csv_table import MissingColumns
from command_api.imports.data_sets import DataSet
from command_api.imports.movielens_formats import MissingFiles
from command_api.imports.session import (
    ImportBusy,
    ImportInterrupted,
    ImportSession,
    import_session,
)
from infra.clients import is_store_failure
from infra.line_reader import DamagedFile
from infra.visible_text import scrubbed

BAD_INPUT, STOPPED = 2, 130  # exit codes


class ImportCommand(BaseCommand):
    """An import that stops between two batches and resumes when run again."""

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            self.check_input(options)
            with import_session(store(), is_dry=options.get("dry_run", False)) as session:
                self.run_import(session, options)
        except ImportInterrupted as error:
            raise CommandError(
                "Stopped. Run the same command again to resume.", returncode=STOPPED
            ) from error
        except (MissingColumns, MissingFiles) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except DamagedFile as error:
            raise CommandError(f"{error}\nNothing was imported.") from error
        except ImportBusy as error:
            raise CommandError(str(error)) from error
        except Exception as error:
            if not isinstance(error, OSError) and not is_store_failure(error):
                raise
            raise CommandError(
                f"{error}\nWhat was imported before stays. Run the same command again to resume."
            ) from error

    @abstractmethod
    def check_input(self, options: dict[str, Any]) -> None:
        """Raise CommandError, or MissingFiles, when the input can't be imported at all."""

    @abstractmethod
    def run_import(self, session: ImportSession, options: dict[str, Any]) -> None:
        """Import, and print the result."""

    def fail_if_damaged(self, damages: Iterable[str | None]) -> None:
        """Raise CommandError when a file could not be read to its end."""
        if reasons := [damage for damage in damages if damage]:
            raise CommandError("\n".join((*reasons, "The lines before that are imported.")))

    def print_unknown_genres(self, unknown: Counter[str]) -> None:
        if unknown:
            names = ", ".join(f"{scrubbed(it)} ({count})" for it, count in unknown.most_common(20))
            self.stdout.write(f"left out genres that are not in our table: {names}")


def add_data_set_argument(parser: CommandParser, *, is_required: bool = False) -> None:
    parser.add_argument(
        "--as",
        dest="data_set",
        metavar="NAME",
        type=_data_set,
        required=is_required,
        help="the data set whose film and user numbers these are"
        + ("" if is_required else "; by default it is recognised by its films and ratings"),
    )


def _data_set(name: str) -> DataSet:
    try:
        return data_sets.named(name)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
