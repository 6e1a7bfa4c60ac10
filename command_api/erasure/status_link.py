"""Status link of an erasure: the user's id with a MAC, for a user who can't log in any more."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hmac import compare_digest, digest
from uuid import UUID

from infra.errors import NotFound
from infra.security.keys import PEPPER, secret

_UUID_BYTES = 16
_MAC_BYTES = 32


def encode(user_id: UUID) -> str:
    """Encode a user's id for the link."""
    return urlsafe_b64encode(user_id.bytes + _mac(user_id.bytes)).decode().rstrip("=")


def decode(token: str) -> UUID:
    """Decode the user's id; raises NotFound if the link was not issued here."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (NotBase64, UnicodeEncodeError) as error:
        raise unknown_link() from error
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(payload) != _UUID_BYTES or not compare_digest(mac, _mac(payload)):
        raise unknown_link()
    return UUID(bytes=payload)


def unknown_link() -> NotFound:
    """Return one refusal for all invalid links."""
    return NotFound("There is no such erasure.")


def _mac(payload: bytes) -> bytes:
    return digest(secret(PEPPER), b"erasure:" + payload, "sha256")
