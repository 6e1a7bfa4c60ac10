"""What do both APIs offer? Their contracts as files, for who compares one version with the next."""

import json
from collections.abc import Callable, Mapping

from django.utils.module_loading import import_string

from infra.http import openapi

# By name, because nothing here may know what stands above it.
_ROUTES = {
    "command": ("Marquee command API", "command_api.urls.commands"),
    "query": ("Marquee query API", "query_api.urls.questions"),
}


def _page(name: str) -> str:
    title, routes = _ROUTES[name]
    document = openapi.document(title, import_string(routes))
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "command.openapi.json": lambda: _page("command"),
    "query.openapi.json": lambda: _page("query"),
}
