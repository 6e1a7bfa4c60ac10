"""What does every answer tell a browser, so that it can't be used against people?

Around everything that is served, so that errors, files and what Django never sees have it, too. An
answer of the APIs may do nothing in a browser but be read; the pages may run their own scripts. Who
was led here under another name than ours is told nothing else.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeAlias

from django.http import HttpResponse
from django.http.request import split_domain_port, validate_host

from infra.config import config
from infra.errors import BadRequest
from infra.http import problem_details

Application: TypeAlias = Callable[..., Iterable[bytes]]
Headers: TypeAlias = list[tuple[str, str]]

PAGES = ("/docs/", "/redoc/")
"""Where pages are; what they load lies under ``/static/`` and needs no rights itself."""
STAFF_PAGES = "/admin/"
HEALTH = "/health/"
"""Asked by whoever looks after the process, by its address."""

_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Both pages style what they draw as they draw it; ReDoc searches in a worker.
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; worker-src blob:; frame-ancestors 'none';"
    " base-uri 'none'; form-action 'none'"
)
# These send forms, to here; and say to us alone, as the check of a form wants, from which page.
_STAFF_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_ALWAYS: Sequence[tuple[str, str]] = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
_HTTPS = ("Strict-Transport-Security", f"max-age={365 * 24 * 3600}; includeSubDomains")


class SecurityHeaders:
    """A WSGI application around another one."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._hosts = tuple(config().allowed_hosts.split(","))
        always = [*_ALWAYS, *([_HTTPS] if config().https_only else [])]
        self._answers: Headers = [*always, *_said(_NOTHING, "no-referrer")]
        self._pages: Headers = [*always, *_said(_PAGE, "no-referrer")]
        self._staff_pages: Headers = [*always, *_said(_STAFF_PAGE, "same-origin")]
        self._scheme = {"wsgi.url_scheme": "https"} if config().https_only else {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        more = self._more(path)

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            return start_response(status, headers + more, exc_info)

        if not path.startswith(HEALTH) and not _is_ours(environ.get("HTTP_HOST", ""), self._hosts):
            return _refuse(start)
        environ.update(self._scheme)  # whatever a proxy speaks to us
        return self.application(environ, start)

    def _more(self, path: str) -> Headers:
        if path.startswith(PAGES):
            return self._pages
        return self._staff_pages if path.startswith(STAFF_PAGES) else self._answers


def _said(policy: str, referrer: str) -> Headers:
    return [("Referrer-Policy", referrer), ("Content-Security-Policy", policy)]


@lru_cache(maxsize=16)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    return "*" in allowed or validate_host(split_domain_port(host)[0], allowed)


def _refuse(start: Callable[..., Any]) -> Iterable[bytes]:
    refusal: HttpResponse = problem_details.respond(
        BadRequest("Nothing has this host's name here."), None
    )
    refusal.headers["Content-Length"] = str(len(refusal.content))
    status = HTTPStatus.BAD_REQUEST
    start(f"{status.value} {status.phrase}", list(refusal.items()))
    return [refusal.content]
