"""Health endpoints: liveness, and readiness of each dependency."""

from collections.abc import Callable, Mapping
from functools import wraps

import structlog
from django.db import connections
from django.http import HttpRequest, HttpResponse

from infra import clients
from infra.http import problem_details
from infra.http.strict_json import encode

ReadinessCheck = Callable[[], object]
"""Raises when a dependency of the process is down."""

View = Callable[[HttpRequest], HttpResponse]
_READ_METHODS = ("GET", "HEAD")
_log = structlog.get_logger(__name__)


def only_read(view: View) -> View:
    """The view for GET and HEAD only; other methods get 405."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method in _READ_METHODS:
            return view(request)
        return problem_details.not_allowed(request, _READ_METHODS)

    return guarded


@only_read
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view is given one
    """Liveness: the process answers."""
    return _answer("ok", {}, status=200)


def ready(checks: Mapping[str, ReadinessCheck]) -> View:
    """Readiness: a view of the state of each dependency; 503 when one is down."""

    @only_read
    def view(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view is given one
        states = {name: _state(name, check) for name, check in checks.items()}
        if all(state == "ok" for state in states.values()):
            return _answer("ok", states, status=200)
        return _answer("down", states, status=503)

    return view


def _state(name: str, check: ReadinessCheck) -> str:
    try:
        check()
    except Exception as fault:  # noqa: BLE001 - any exception means that it is down
        _log.warning("dependency down", dependency=name, fault=repr(fault))
        return "down"
    return "ok"


def _answer(status_word: str, states: Mapping[str, str], *, status: int) -> HttpResponse:
    return HttpResponse(
        encode({"status": status_word, "needs": states}),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def redis() -> None:
    """Raise if Redis can't be read.

    PING is refused while Redis can't write its file, although reads are answered.
    """
    clients.redis().exists("ready")


def database(alias: str) -> ReadinessCheck:
    """A check that a database answers."""

    def check() -> None:
        connection = connections[alias]
        connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    return check
