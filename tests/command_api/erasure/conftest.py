"""Fixtures that make slow steps cheap in these tests."""

import pytest


@pytest.fixture(autouse=True)
def cheap_passwords(settings):
    """Many register here, and how costly a digest is has tests of its own."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
