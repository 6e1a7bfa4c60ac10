"""How do the staff log in to the admin pages, and out again?

By the same way as everybody logs in: counted by address and name, compared in the same time, with
the same limit on how many passwords are compared at once. Only what they get is another thing.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from command_api.admin import session_cookie
from command_api.http.view import origin_of
from command_api.sessions import login as beginning
from command_api.sessions import login_rate_limit, logout
from command_api.sessions.api import LoginBody
from command_api.staff.grants import is_staff
from events import notifications
from events.vault import refresh_families
from infra.errors import Invalid, Refused, Unauthenticated

NEXT = "next"
_WRONG = "The login or the password is wrong, or whose they are is not one of the staff."
_SAID: tuple[type[Refused], ...] = (Invalid, Unauthenticated)


def log_in(typed: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
    """The cookie of a new log-in; raises Refused."""
    login = typed.get("login", "")
    login_rate_limit.admit(login, meta)
    body = LoginBody.read({"login": login, "password": typed.get("password", "")})
    found = beginning.authenticate(**body, meta=meta)
    if not is_staff(found.user_id):
        raise Unauthenticated(_WRONG)
    begun = beginning.open_session(found, life=session_cookie.LIFE)
    return session_cookie.write(begun.refresh.family, begun.epoch)


def told(refused: Refused) -> tuple[str, int]:
    """What the form says of a refusal, and the status: that of a form, or of what is to wait."""
    if isinstance(refused, _SAID):
        return _WRONG, HTTPStatus.OK
    return refused.detail, refused.status


def log_out(request: HttpRequest) -> None:
    """End the log-in, as for everybody: also whoever copied the cookie is out."""
    kept = session_cookie.of(request)
    standing = kept and refresh_families.login_status(kept.family)
    if kept and standing and not standing.is_revoked:
        handled = logout.end_session(standing.user_id, kept.family, origin=origin_of(request))
        notifications.announce(handled.position.partition)


def where_to(wanted: str) -> str:
    """The page that was wanted, if it is one of these."""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours and wanted.startswith(session_cookie.PATH) else session_cookie.PATH
