"""Fixtures that read the e-mails that were sent."""

import re

import pytest
from django.core import mail
from django.db import connections

from command_api.emails import delivery

_TOKEN = re.compile("^[A-Za-z0-9_-]{43}$", re.MULTILINE)


class Post:
    """E-mails sent since the last call."""

    def __call__(self):
        mail.outbox.clear()
        delivery.deliver()
        return list(mail.outbox)

    def token(self):
        """Return the token of the only e-mail."""
        [letter] = self()
        [token] = _TOKEN.findall(letter.body)
        return token

    def pass_time(self, interval="6 minutes"):
        """Make letters and tokens older."""
        with connections["vault"].cursor() as cursor:
            cursor.execute("UPDATE letters SET due_at = due_at - %s::interval", [interval])
            cursor.execute(
                "UPDATE mailed_tokens SET made_at = made_at - %s::interval,"
                " expires_at = expires_at - %s::interval",
                [interval, interval],
            )


@pytest.fixture
def post(api):
    """The mailbox."""
    return Post()


@pytest.fixture
def register(register, django_capture_on_commit_callbacks):
    """Register accounts; on_commit hooks run at once, although nothing is committed."""

    def _register(*args, **more):
        with django_capture_on_commit_callbacks(execute=True):
            return register(*args, **more)

    return _register
