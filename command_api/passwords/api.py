"""How does one come to another password over HTTP?

No Idempotency-Key here: what was changed ends the very token that it was changed with.
"""

from django.http import HttpRequest
from rest_framework import serializers

from command_api.accounts import passwords
from command_api.emails.api import mailed_token
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.passwords import change
from events.vault import outgoing_mail
from events.vault.models import Purpose
from infra.http.permissions import Anybody, LoggedIn
from infra.http.strict_json import StrictSerializer
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import Throttle
from infra.security.access_tokens import Identity


def new_password() -> serializers.CharField:
    """One to have from now on."""
    return serializers.CharField(
        min_length=passwords.SHORTEST, max_length=passwords.LONGEST, trim_whitespace=False
    )


class ChangeBody(StrictSerializer):
    """The password so far, and the one to come."""

    old = serializers.CharField(max_length=passwords.LONGEST, trim_whitespace=False)
    new = new_password()


class ForgotBody(StrictSerializer):
    """Who forgot it."""

    email = serializers.EmailField(max_length=254, trim_whitespace=False)


class ResetBody(StrictSerializer):
    """What was in the letter, and the password to come."""

    token = mailed_token()
    password = new_password()


class _PasswordView(CommandView):
    def scope(self, call: Call) -> None:
        """Passwords are not kept, not even as part of a digest."""

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Guessing must be slow, from wherever it is done."""
        by_address = sliding_window.of_login(request)
        return by_address._replace(who=str(identity.user_id)) if identity else by_address


class MyPasswordView(_PasswordView):
    """My password."""

    permission_classes = (LoggedIn,)
    bodies = {"POST": ChangeBody}

    @describe_command(
        "change_password", answers={204: None}, body=ChangeBody, takes_idempotency_key=False
    )
    def post(self, call: Call) -> Answer:
        """Change it. All log-ins end, this one too."""
        position = change.change(call.user_id, **call.body, origin=call.origin)
        return Answer(position, status=204)


class ForgottenView(_PasswordView):
    """Passwords that were forgotten."""

    permission_classes = (Anybody,)
    bodies = {"POST": ForgotBody}

    @describe_command(
        "forgot_password",
        answers={202: None},
        body=ForgotBody,
        is_public=True,
        takes_idempotency_key=False,
        appends=False,
    )
    def post(self, call: Call) -> Answer:
        """Have a letter sent. The answer is the same whether or not anybody has the address."""
        outgoing_mail.enqueue(Purpose.RESET, email=call.body["email"])
        return Answer(None, status=202)


class ResetView(_PasswordView):
    """Passwords that take the place of forgotten ones."""

    permission_classes = (Anybody,)
    bodies = {"POST": ResetBody}

    @describe_command(
        "reset_password",
        answers={204: None},
        body=ResetBody,
        is_public=True,
        takes_idempotency_key=False,
    )
    def post(self, call: Call) -> Answer:
        """Choose a new one, by the token of the letter. All log-ins end."""
        position = change.reset(
            call.body["token"], password=call.body["password"], origin=call.origin
        )
        return Answer(position, status=204)
