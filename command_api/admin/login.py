"""Log-in and log-out of staff at the admin pages.

The same checks as at the API: rate limit by address and name, constant time, limited parallel
password digests. The result is a cookie instead of tokens.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from command_api.admin import session_cookie
from command_api.http.view import origin_of
from command_api.sessions import login_rate_limit, logout
from command_api.sessions.api import LoginBody
from command_api.sessions.login import authenticate, open_session
from command_api.staff.grants import is_staff
from events import notifications
from events.vault import refresh_families
from infra.errors import Invalid, Refused, Unauthenticated

NEXT = "next"
_WRONG = "The login or password is wrong, or the user is not staff."
_NOT_DISTINGUISHED: tuple[type[Refused], ...] = (Invalid, Unauthenticated)


def log_in(form: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
    """The cookie of a new log-in; raises Refused."""
    login = form.get("login", "")
    login_rate_limit.admit(login, meta)
    body = LoginBody.read({"login": login, "password": form.get("password", "")})
    credentials = authenticate(**body, meta=meta)
    if not is_staff(credentials.user_id):
        raise Unauthenticated(_WRONG)
    refresh, epoch = open_session(credentials, life=session_cookie.LIFE)
    return session_cookie.write(refresh.family, epoch)


def form_error(refused: Refused) -> tuple[str, int]:
    """The form's message and HTTP status; 200 unless the log-in was rate-limited or unavailable."""
    if isinstance(refused, _NOT_DISTINGUISHED):
        return _WRONG, HTTPStatus.OK
    return refused.detail, refused.status


def log_out(request: HttpRequest) -> None:
    """End the log-in on the server: copies of the cookie become invalid, too."""
    cookie = session_cookie.of(request)
    status = cookie and refresh_families.login_status(cookie.family)
    if cookie and status and not status.is_revoked:
        handled = logout.end_session(status.user_id, cookie.family, origin=origin_of(request))
        notifications.announce(handled.position.partition)


def redirect_target(requested_url: str) -> str:
    """The requested page if it is an admin page, else the index."""
    is_ours = url_has_allowed_host_and_scheme(requested_url, allowed_hosts=None)
    return (
        requested_url
        if is_ours and requested_url.startswith(session_cookie.PATH)
        else session_cookie.PATH
    )
