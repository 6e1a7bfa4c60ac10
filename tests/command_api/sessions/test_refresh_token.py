"""Refresh tokens: only issued ones are accepted."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import uuid4

import pytest

from command_api.sessions.refresh_token import LONGEST, decode, encode
from events.vault.refresh_families import RefreshTokenId
from infra.errors import Unauthenticated

pytestmark = pytest.mark.usefixtures("keys")
TOKEN_ID = RefreshTokenId(uuid4(), uuid4())


def test_refresh_token_round_trips():
    assert decode(encode(TOKEN_ID)) == TOKEN_ID
    assert len(encode(TOKEN_ID)) <= LONGEST


@pytest.mark.parametrize("index", range(64))
def test_refresh_token_with_a_changed_byte_is_refused(index):
    raw = bytearray(urlsafe_b64decode(encode(TOKEN_ID)))
    raw[index] ^= 1
    with pytest.raises(Unauthenticated):
        decode(urlsafe_b64encode(raw).decode())


@pytest.mark.parametrize("token", ["", "x", "é", "=" * 100, "write" * 20])
def test_refresh_token_that_is_malformed_is_refused(token):
    with pytest.raises(Unauthenticated):
        decode(token)
