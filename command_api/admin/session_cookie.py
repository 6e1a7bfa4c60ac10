"""Session cookie of the admin pages.

It holds the log-in's refresh family, the user's epoch (last revocation of all log-ins), the expiry
and a MAC. It is not a token: no other route accepts it, and the admin pages accept no token.
"""

import struct
from datetime import timedelta
from time import time
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from command_api.http import mac_token
from infra.config import config

NAME = "marquee_admin"
PATH = "/admin/"
LIFE = timedelta(hours=8)
"""A working day."""
_FORM = struct.Struct("!16sIQ")
_PURPOSE = "admin"


class SessionCookie(NamedTuple):
    family: UUID
    epoch: int
    expires: int
    """Unix time."""


def write(family: UUID, epoch: int) -> str:
    """The cookie's text for a log-in that begins now."""
    payload = _FORM.pack(family.bytes, epoch, int(time() + LIFE.total_seconds()))
    return mac_token.write(_PURPOSE, payload)


def read(text: str) -> SessionCookie | None:
    """Parse a cookie; None if it is forged or expired."""
    payload = mac_token.read(_PURPOSE, text)
    if payload is None:
        return None
    family, epoch, expires = _FORM.unpack(payload)
    return SessionCookie(UUID(bytes=family), epoch, expires) if expires > time() else None


def of(request: HttpRequest) -> SessionCookie | None:
    return read(request.COOKIES.get(NAME, ""))


def set_on(response: HttpResponse, text: str) -> None:
    """Set the cookie, for requests from our own pages only."""
    response.set_cookie(
        NAME,
        text,
        max_age=LIFE,
        path=PATH,
        secure=config().https_only,
        httponly=True,
        samesite="Strict",
    )


def delete_from(response: HttpResponse) -> None:
    response.delete_cookie(NAME, path=PATH, samesite="Strict")
