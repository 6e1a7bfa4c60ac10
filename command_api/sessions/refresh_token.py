"""Refresh tokens: the ids of log-in and token, with a MAC.

The MAC makes sure that only a token that was issued can end a log-in when it is used twice.
"""

from uuid import UUID

from command_api.http import mac_token
from events.vault.refresh_families import RefreshTokenId
from infra.errors import Unauthenticated

LONGEST = 200
_PURPOSE = "refresh"
_UUID_BYTES = 16


def encode(refresh: RefreshTokenId) -> str:
    return mac_token.write(_PURPOSE, refresh.family.bytes + refresh.jti.bytes)


def decode(token: str) -> RefreshTokenId:
    """Decode a token; raises Unauthenticated if it was not issued here."""
    payload = mac_token.read(_PURPOSE, token)
    if payload is None:
        raise invalid_token()
    return RefreshTokenId(UUID(bytes=payload[:_UUID_BYTES]), UUID(bytes=payload[_UUID_BYTES:]))


def invalid_token() -> Unauthenticated:
    """Return the same error for every invalid token, so that it does not reveal the reason."""
    return Unauthenticated("The refresh token is not valid. Log in again.")
