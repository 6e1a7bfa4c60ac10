"""manage.py correct_catalogue: bring the movies of an earlier demo catalogue up to date."""

from typing import Any

from command_api.catalogue.demo import lines
from command_api.catalogue.models import CatalogueVersion
from command_api.imports.base_command import ImportCommand
from command_api.imports.catalogue_corrections import correct_catalogue
from command_api.imports.session import ImportSession


class Command(ImportCommand):
    """Runs once for each version of the demo catalogue; an interrupted run is resumed."""

    help = (
        "Correct and complete the movies that an earlier version of the demo catalogue added. Adds"
        " no movies and keeps what people or other sources changed."
    )

    def check_input(self, options: dict[str, Any]) -> None:
        """There is no input but the file that comes with the project."""

    def run_import(self, session: ImportSession, options: dict[str, Any]) -> None:
        version = lines.version_of(lines.DEMO)
        if CatalogueVersion.objects.filter(digest=version).exists():
            self.stdout.write("The movies are up to date with this demo catalogue.")
            return
        counts = correct_catalogue(lines.DEMO, session)
        CatalogueVersion.objects.get_or_create(digest=version)
        self.stdout.write(
            f"read {counts.read}, corrected {counts.corrected}, unchanged {counts.unchanged},"
            f" not here {counts.missing}, another movie {counts.other}"
        )
