"""Session cookie of the admin pages.

It holds the log-in's refresh family, the user's epoch (last revocation of all log-ins), the expiry
and a MAC. It is not a token: no other route accepts it, and the admin pages accept no token.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import timedelta
from hmac import compare_digest, digest
from time import time
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from infra.config import config
from infra.security.keys import PEPPER, secret

NAME = "marquee_admin"
PATH = "/admin/"
LIFE = timedelta(hours=8)
"""A working day."""
_FORM = struct.Struct("!16sIQ")
_MAC_BYTES = 32


class SessionCookie(NamedTuple):
    family: UUID
    epoch: int
    expires: int
    """Unix time."""


def write(family: UUID, epoch: int) -> str:
    """The cookie's text for a log-in that begins now."""
    payload = _FORM.pack(family.bytes, epoch, int(time() + LIFE.total_seconds()))
    return urlsafe_b64encode(payload + _mac(payload)).decode()


def read(text: str) -> SessionCookie | None:
    """Parse a cookie; None if it is forged or expired."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
    except (NotBase64, UnicodeEncodeError):
        return None
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(payload) != _FORM.size or not compare_digest(mac, _mac(payload)):
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


def _mac(payload: bytes) -> bytes:
    return digest(secret(PEPPER), b"admin:" + payload, "sha256")
