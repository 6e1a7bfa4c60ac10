"""Security headers: WSGI middleware that adds them to every response and checks the Host header.

It is the outermost layer, so errors, files and responses that Django never sees have them, too. A
browser may only read responses of the APIs; the documentation pages may run their own scripts.

It also drops the parameters of Content-Type before Django parses them.
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
"""Documentation pages; what they load is under ``/static/`` and needs no rights."""
STAFF_PAGES = "/admin/"
HEALTH = "/health/"
"""Called by supervisors under the address of the process, so the Host is not checked."""

_API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Swagger UI and ReDoc set styles inline; ReDoc searches in a worker.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; worker-src blob:; frame-ancestors 'none';"
    " base-uri 'none'; form-action 'none'"
)
# Admin pages send forms to this site, and the Referer that Django's CSRF check needs.
_STAFF_PAGE_POLICY = (
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
    """WSGI middleware."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._hosts = tuple(config().allowed_hosts.split(","))
        always = [*_ALWAYS, *([_HTTPS] if config().https_only else [])]
        self._answers: Headers = [*always, *_policy_headers(_API_POLICY, "no-referrer")]
        self._pages: Headers = [*always, *_policy_headers(_PAGE_POLICY, "no-referrer")]
        self._staff_pages: Headers = [*always, *_policy_headers(_STAFF_PAGE_POLICY, "same-origin")]
        self._scheme = {"wsgi.url_scheme": "https"} if config().https_only else {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        more = self._answers
        if path.startswith(PAGES):
            more = self._pages
        elif path.startswith(STAFF_PAGES):
            more = self._staff_pages

        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            return start_response(status, headers + more, exc_info)

        if not path.startswith(HEALTH) and not _is_allowed_host(
            environ.get("HTTP_HOST", ""), self._hosts
        ):
            return _refuse(start)
        environ.update(self._scheme)  # the proxy ends TLS
        # Bodies are JSON or simple forms, which have no parameters. Django parses them outside of
        # its error handling, in quadratic time, and takes any Python codec for a charset.
        if ";" in (content_type := environ.get("CONTENT_TYPE", "")):
            environ["CONTENT_TYPE"] = content_type.partition(";")[0]
        return self.application(environ, start)


def _policy_headers(policy: str, referrer: str) -> Headers:
    return [("Referrer-Policy", referrer), ("Content-Security-Policy", policy)]


@lru_cache(maxsize=16)
def _is_allowed_host(host: str, allowed: tuple[str, ...]) -> bool:
    return "*" in allowed or validate_host(split_domain_port(host)[0], allowed)


def _refuse(start: Callable[..., Any]) -> Iterable[bytes]:
    refusal: HttpResponse = problem_details.respond(
        BadRequest("The Host header names none of this server's hosts."), None
    )
    refusal.headers["Content-Length"] = str(len(refusal.content))
    status = HTTPStatus.BAD_REQUEST
    start(f"{status.value} {status.phrase}", list(refusal.items()))
    return [refusal.content]
