"""Fixtures that make slow steps cheap in these tests."""

import pytest


@pytest.fixture(autouse=True)
def cheap_passwords(settings):
    """Use a cheap hash: the real one has tests of its own."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
