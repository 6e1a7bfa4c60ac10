"""Is the process alive, and is what it needs there?"""

from collections.abc import Callable, Mapping
from functools import wraps

import structlog
from django.db import connections
from django.http import HttpRequest, HttpResponse

from infra import clients
from infra.http import problem_details
from infra.http.strict_json import encode

Need = Callable[[], object]
"""Asks one of the things that a process needs; raises when it is not there."""

View = Callable[[HttpRequest], HttpResponse]
_READING = ("GET", "HEAD")
_log = structlog.get_logger(__name__)


def only_read(view: View) -> View:
    """The same view, which refuses all methods but GET and HEAD."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method in _READING:
            return view(request)
        return problem_details.not_allowed(request, _READING)

    return guarded


@only_read
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view is given one
    """The process answers."""
    return _answer("ok", {}, status=200)


def ready(needs: Mapping[str, Need]) -> View:
    """A view that lists each need with its state; 503 when one is down."""

    @only_read
    def view(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view is given one
        states = {name: _state(name, need) for name, need in needs.items()}
        if all(state == "ok" for state in states.values()):
            return _answer("ok", states, status=200)
        return _answer("down", states, status=503)

    return view


def _state(name: str, need: Need) -> str:
    try:
        need()
    except Exception as fault:  # noqa: BLE001 - whatever it is, the need is down
        _log.warning("need down", need=name, fault=repr(fault))
        return "down"
    return "ok"


def _answer(status_word: str, needs: Mapping[str, str], *, status: int) -> HttpResponse:
    return HttpResponse(
        encode({"status": status_word, "needs": needs}),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def redis() -> None:
    """Redis answers."""
    clients.redis().ping()


def elasticsearch() -> None:
    """Elasticsearch answers. Not by info(): smaller distributions refuse that."""
    clients.elasticsearch().options(request_timeout=2).cluster.health()


def database(alias: str) -> Need:
    """A database answers."""

    def ask() -> None:
        connection = connections[alias]
        connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    return ask
