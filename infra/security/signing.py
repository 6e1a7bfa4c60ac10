"""Signed tokens: positions and cursors that clients can read but not forge.

A key of their own signs them (``shared/position.key``), and nothing else.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hmac import compare_digest, digest

from infra.security.keys import POSITION, secret

_MAC_BYTES = 16


class BadSignature(Exception):
    """The token was not signed here for this purpose."""


def seal(purpose: str, payload: bytes) -> str:
    """Sign a payload; the token is safe in headers and URLs."""
    return urlsafe_b64encode(payload + _mac(purpose, payload)).rstrip(b"=").decode()


def open_(purpose: str, token: str) -> bytes:
    """The payload of a token signed for this purpose; raises BadSignature."""
    try:
        sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (NotBase64, UnicodeEncodeError) as error:
        raise BadSignature(purpose) from error
    payload, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
    if not compare_digest(mac, _mac(purpose, payload)):
        raise BadSignature(purpose)
    return payload


def _mac(purpose: str, payload: bytes) -> bytes:
    return digest(secret(POSITION), purpose.encode() + b"\0" + payload, "sha256")[:_MAC_BYTES]
