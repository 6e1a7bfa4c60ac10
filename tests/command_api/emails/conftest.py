"""Fixtures that read the e-mails that were sent."""

import re

import pytest
from django.core import mail
from django.db import connections

from command_api.emails import delivery

_TOKEN = re.compile("^[A-Za-z0-9_-]{43}$", re.MULTILINE)


class Post:
    """The letters that were delivered since the last look."""

    def __call__(self):
        mail.outbox.clear()
        delivery.deliver()
        return list(mail.outbox)

    def token(self):
        """What the only letter says."""
        [letter] = self()
        [token] = _TOKEN.findall(letter.body)
        return token

    def pass_time(self, interval="6 minutes"):
        """As if so much time had passed."""
        with connections["vault"].cursor() as cursor:
            cursor.execute("UPDATE letters SET due_at = due_at - %s::interval", [interval])
            cursor.execute(
                "UPDATE mailed_tokens SET made_at = made_at - %s::interval,"
                " expires_at = expires_at - %s::interval",
                [interval, interval],
            )


@pytest.fixture
def post(api):
    """The letters to people."""
    return Post()


@pytest.fixture
def register(register, django_capture_on_commit_callbacks):
    """Opens accounts; what is done on commit is done at once, though nothing is committed."""

    def _register(*args, **more):
        with django_capture_on_commit_callbacks(execute=True):
            return register(*args, **more)

    return _register
