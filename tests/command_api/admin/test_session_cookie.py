"""Session cookie: signed, expires after eight hours."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from time import time
from uuid import uuid4

import pytest

from command_api.admin import session_cookie
from command_api.sessions import refresh_token
from events.vault.refresh_families import RefreshTokenId

pytestmark = pytest.mark.usefixtures("keys")
FAMILY = uuid4()


def later(monkeypatch, seconds):
    now = time()
    monkeypatch.setattr(session_cookie, "time", lambda: now + seconds)


def changed(text, index):
    raw = bytearray(urlsafe_b64decode(text))
    raw[index] ^= 1
    return urlsafe_b64encode(raw).decode()


def test_session_cookie_holds_family_and_epoch():
    cookie = session_cookie.read(session_cookie.write(FAMILY, 3))
    assert cookie is not None
    assert (cookie.family, cookie.epoch) == (FAMILY, 3)


def test_session_cookie_expires_after_eight_hours(monkeypatch):
    text = session_cookie.write(FAMILY, 0)
    later(monkeypatch, 8 * 3600 - 60)
    assert session_cookie.read(text)
    later(monkeypatch, 8 * 3600 + 60)
    assert session_cookie.read(text) is None


@pytest.mark.parametrize("index", [0, 16, 20, 27, 28, -1])
def test_session_cookie_with_a_changed_byte_is_rejected(index):
    assert session_cookie.read(changed(session_cookie.write(FAMILY, 0), index)) is None


@pytest.mark.parametrize("text", ["", "x", "\u00e9", "AAAA", "=" * 80])
def test_malformed_session_cookies_are_rejected(text):
    assert session_cookie.read(text) is None


def test_refresh_token_is_no_session_cookie():
    assert session_cookie.read(refresh_token.encode(RefreshTokenId(FAMILY, uuid4()))) is None
