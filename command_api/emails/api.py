"""How does one say over HTTP that an address is one's own?"""

from typing import Any

from django.http import HttpRequest
from rest_framework import serializers

from command_api.emails import verification
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from infra.http.permissions import Anybody, LoggedIn
from infra.http.strict_json import StrictSerializer
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import Throttle
from infra.security.access_tokens import Identity

_LONGEST_TOKEN = 100


def mailed_token() -> Any:
    """The token of a letter."""
    return serializers.CharField(max_length=_LONGEST_TOKEN, trim_whitespace=False)


class VerifyBody(StrictSerializer):
    """What was in the letter."""

    token = mailed_token()


class VerifyEmailView(CommandView):
    """The addresses that are known to be their owners'."""

    permission_classes = (Anybody,)
    bodies = {"POST": VerifyBody}

    def scope(self, call: Call) -> None:
        """Once more is as good as once."""

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Guessing must be slow."""
        return sliding_window.of_login(request)

    @describe_command(
        "verify_email",
        answers={204: None},
        body=VerifyBody,
        is_public=True,
        takes_idempotency_key=False,
    )
    def post(self, call: Call) -> Answer:
        """Say that the letter to an address was read."""
        handled = verification.verify(call.body["token"], origin=call.origin)
        return Answer(handled.position, status=204)


class MyVerificationView(CommandView):
    """The letter to my address."""

    permission_classes = (LoggedIn,)

    def scope(self, call: Call) -> None:
        """Once more is as good as once."""

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Each may cost a letter."""
        return sliding_window.of_login(request)

    @describe_command(
        "send_verification", answers={202: None}, takes_idempotency_key=False, appends=False
    )
    def post(self, call: Call) -> Answer:
        """Have it sent again. If the address is known to be yours already, none is."""
        verification.resend(call.user_id)
        return Answer(None, status=202)
