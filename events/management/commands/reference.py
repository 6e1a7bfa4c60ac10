"""manage.py reference: write docs/reference from the code, or check that it is up to date."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from events.reference import asyncapi, table
from events.reference.examples import golden
from infra.http import openapi
from infra.reference import metrics, settings

DIRECTORY = Path(__file__).parents[3] / "docs" / "reference"
# By name: events must not import the packages above it.
_ROUTES = {
    "command": ("Marquee command API", "command_api.urls.commands"),
    "query": ("Marquee query API", "query_api.urls.queries"),
}


def asyncapi_json() -> str:
    """The AsyncAPI document of the events."""
    return json.dumps(asyncapi.document(golden()), indent=2, ensure_ascii=False) + "\n"


def openapi_json(name: str) -> str:
    """The OpenAPI document of an API; as a file, so that versions can be compared."""
    title, routes = _ROUTES[name]
    document = openapi.document(title, import_string(routes))
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "events.asyncapi.json": asyncapi_json,
    "events.md": table.page,
    "settings.md": settings.page,
    "metrics.md": metrics.page,
    "command.openapi.json": lambda: openapi_json("command"),
    "query.openapi.json": lambda: openapi_json("query"),
}


class Command(BaseCommand):
    help = "Write docs/reference from events, settings, metrics and the routes of both APIs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = [name for name, page in PAGES.items() if _read(name) != page()]
        if options["check"]:
            if stale:
                raise CommandError(
                    f"Stale in docs/reference: {', '.join(stale)}. Run make reference."
                )
            return
        for name in stale:
            (DIRECTORY / name).write_text(PAGES[name]())
            self.stdout.write(f"docs/reference/{name}")


def _read(name: str) -> str | None:
    path = DIRECTORY / name
    return path.read_text() if path.exists() else None
