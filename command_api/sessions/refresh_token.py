"""What does a refresh token look like?

The log-in and which of its tokens it is, with a MAC: only a token that we once gave out can end a
log-in by being used again.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hmac import compare_digest, digest
from uuid import UUID

from events.vault.refresh_families import RefreshTokenId
from infra.errors import Unauthenticated
from infra.security.keys import PEPPER, secret

LONGEST = 200
_UUID_BYTES = 16
_MAC_BYTES = 32


def encode(refresh: RefreshTokenId) -> str:
    """The token as the client keeps it."""
    payload = refresh.family.bytes + refresh.jti.bytes
    return urlsafe_b64encode(payload + _mac(payload)).decode()


def decode(token: str) -> RefreshTokenId:
    """What the token stands for; raises Unauthenticated for what was never given out."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
    except (NotBase64, UnicodeEncodeError) as error:
        raise invalid_token() from error
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(payload) != 2 * _UUID_BYTES or not compare_digest(mac, _mac(payload)):
        raise invalid_token()
    return RefreshTokenId(UUID(bytes=payload[:_UUID_BYTES]), UUID(bytes=payload[_UUID_BYTES:]))


def invalid_token() -> Unauthenticated:
    """The same for every token that is not current, whatever it once was."""
    return Unauthenticated("The refresh token is not valid.")


def _mac(payload: bytes) -> bytes:
    return digest(secret(PEPPER), b"refresh:" + payload, "sha256")
