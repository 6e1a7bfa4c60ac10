"""MAC tokens: those of earlier releases stay valid."""

from uuid import UUID

import pytest

from command_api.admin import session_cookie
from command_api.erasure.api import status_token
from command_api.http import mac_token
from command_api.sessions import refresh_token
from events.vault.refresh_families import RefreshTokenId

USER = FAMILY = UUID(int=1)
LAST_SECOND = 2**40


@pytest.fixture(autouse=True)
def known_pepper(monkeypatch):
    """The pepper with which the tokens below were written, before they shared a module."""
    monkeypatch.setattr(mac_token, "secret", lambda _name: bytes(32))


def test_released_refresh_token_is_accepted():
    released = (
        "AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAIcYdqCXZD1BcljoNbqnOKfArAVSchWop9e6hn3PsXy3w=="
    )
    assert refresh_token.decode(released) == RefreshTokenId(FAMILY, UUID(int=2))


def test_released_session_cookie_is_accepted():
    released = "AAAAAAAAAAAAAAAAAAAAAQAAAAMAAAEAAABwgGFoC1tYmQzQbjwgEI2NPTrip0yi5vZwmfD8inhanJxr"
    expires = LAST_SECOND + int(session_cookie.LIFE.total_seconds())
    assert session_cookie.read(released) == session_cookie.SessionCookie(FAMILY, 3, expires)


def test_status_link_is_written_as_released():
    released = "AAAAAAAAAAAAAAAAAAAAAYeh28xdN0Em-_NVmcuC5efdwDCQyeBwvy4amyuCTwMi"
    assert status_token(USER) == released
