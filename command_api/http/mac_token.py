"""MAC tokens: a payload and its MAC under the pepper, in URL-safe Base64; one purpose each."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hmac import compare_digest, digest

from infra.security.keys import PEPPER, secret

_MAC_BYTES = 32


def write(purpose: str, payload: bytes) -> str:
    return urlsafe_b64encode(payload + _mac(purpose, payload)).decode()


def read(purpose: str, token: str) -> bytes | None:
    """The payload; None unless the token was written here for this purpose."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
    except (NotBase64, UnicodeEncodeError):
        return None
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    return payload if compare_digest(mac, _mac(purpose, payload)) else None


def _mac(purpose: str, payload: bytes) -> bytes:
    return digest(secret(PEPPER), purpose.encode() + b":" + payload, "sha256")
