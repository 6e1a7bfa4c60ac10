"""What is cheaper in these tests than it is outside?"""

import pytest


@pytest.fixture(autouse=True)
def cheap_passwords(settings):
    """Many register here, and how costly a digest is has tests of its own."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
