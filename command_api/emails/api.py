"""HTTP endpoints that verify an e-mail address."""

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
    return serializers.CharField(max_length=_LONGEST_TOKEN, trim_whitespace=False)


class VerifyBody(StrictSerializer):
    """The mailed token."""

    token = mailed_token()


class _VerificationView(CommandView):
    takes_idempotency_key = False  # a repetition does no harm

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Limit token guessing, and requests that may each send an e-mail."""
        return sliding_window.of_login(request)


class VerifyEmailView(_VerificationView):
    """Verification of e-mail addresses."""

    permission_classes = (Anybody,)
    bodies = {"POST": VerifyBody}

    @describe_command("verify_email", answers={204: None})
    def post(self, call: Call) -> Answer:
        """Verify an address with the token that was mailed to it."""
        handled = verification.verify(call.body["token"], origin=call.origin)
        return Answer(handled.position, status=204)


class MyVerificationView(_VerificationView):
    """The verification e-mail to my address."""

    permission_classes = (LoggedIn,)

    @describe_command("send_verification", answers={202: None}, appends=False)
    def post(self, call: Call) -> Answer:
        """Send the e-mail again, unless my address is verified already."""
        verification.resend(call.user_id)
        return Answer(None, status=202)
