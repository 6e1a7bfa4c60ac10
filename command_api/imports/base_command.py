"""What do the commands that import have in common, on the screen?"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from command_api.event_store import store
from command_api.imports.advisory_lock import Busy
from command_api.imports.csv_table import MissingColumns
from command_api.imports.session import ImportInterrupted, ImportSession, import_session

BAD_INPUT, STOPPED = 2, 130  # exit codes


class ImportCommand(BaseCommand):
    """A command that stops between two batches, and goes on when it is run again."""

    def handle(self, *_args: Any, **options: Any) -> None:
        self.check_input(options)
        try:
            with import_session(store(), is_dry=options.get("dry_run", False)) as run:
                self.run_import(run, options)
        except ImportInterrupted as error:
            raise CommandError(
                "Stopped. Run the same again to go on from here.", returncode=STOPPED
            ) from error
        except MissingColumns as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except (OSError, OperationalError) as error:
            raise CommandError(
                f"{error}\nWhat was imported until then stays: run the same again to go on."
            ) from error
        except Busy as error:
            raise CommandError(str(error)) from error

    @abstractmethod
    def check_input(self, options: dict[str, Any]) -> None:
        """Raise CommandError when what was given can't be imported at all."""

    @abstractmethod
    def run_import(self, run: ImportSession, options: dict[str, Any]) -> None:
        """Import it and tell what became of it."""

    def refuse_torn(self, torn: Iterable[str | None]) -> None:
        """Raise CommandError when a file could not be read to its end."""
        if told := [each for each in torn if each]:
            raise CommandError("\n".join((*told, "What came before that is imported.")))

    def tell_unknown_genres(self, unknown: Counter[str]) -> None:
        """Name the genres that had to be left out."""
        if unknown:
            names = ", ".join(f"{name} ({count})" for name, count in unknown.most_common(20))
            self.stdout.write(f"left out, because our table of genres lacks them: {names}")
