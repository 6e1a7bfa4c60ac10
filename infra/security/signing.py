"""How do we know again what we once gave out: positions and cursors?

A key of its own signs them (``shared/position.key``), and nothing else.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hmac import compare_digest, digest

from infra.security.keys import POSITION, secret

_MAC_BYTES = 16


class BadSignature(Exception):
    """Not one of ours, or not for this purpose."""


def seal(purpose: str, payload: bytes) -> str:
    """The payload, readable but not forgeable, fit for headers and URLs."""
    return urlsafe_b64encode(payload + _mac(purpose, payload)).rstrip(b"=").decode()


def open_(purpose: str, token: str) -> bytes:
    """The payload that was sealed for this purpose; raises BadSignature."""
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
