"""OpenAPI documents of both APIs as files, so that versions can be compared."""

import json
from collections.abc import Callable, Mapping

from django.utils.module_loading import import_string

from infra.http import openapi

# By name: infra must not import the packages above it.
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
