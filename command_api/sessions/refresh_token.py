"""Refresh tokens: the ids of log-in and token, with a MAC.

The MAC makes sure that only a token that was issued can end a log-in when it is used twice.
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
    """Encode the token for the client."""
    payload = refresh.family.bytes + refresh.jti.bytes
    return urlsafe_b64encode(payload + _mac(payload)).decode()


def decode(token: str) -> RefreshTokenId:
    """Decode a token; raises Unauthenticated if it was not issued here."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
    except (NotBase64, UnicodeEncodeError) as error:
        raise invalid_token() from error
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(payload) != 2 * _UUID_BYTES or not compare_digest(mac, _mac(payload)):
        raise invalid_token()
    return RefreshTokenId(UUID(bytes=payload[:_UUID_BYTES]), UUID(bytes=payload[_UUID_BYTES:]))


def invalid_token() -> Unauthenticated:
    """Return one refusal for all invalid tokens: it does not reveal why."""
    return Unauthenticated("The refresh token is not valid. Log in again.")


def _mac(payload: bytes) -> bytes:
    return digest(secret(PEPPER), b"refresh:" + payload, "sha256")
