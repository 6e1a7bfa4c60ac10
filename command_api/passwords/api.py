"""HTTP endpoints that change, or reset, a password.

They ignore Idempotency-Key: the change ends the very token that a repetition would need.
"""

from django.http import HttpRequest

from command_api.accounts import password_hashing
from command_api.accounts.api import AddressField, new_password
from command_api.emails.api import mailed_token
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.passwords import change
from events.vault import outgoing_mail
from events.vault.models import Purpose
from infra.http.permissions import Anybody, LoggedIn
from infra.http.strict_json import SecretField, StrictSerializer
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import Throttle
from infra.security.access_tokens import Identity


class ChangeBody(StrictSerializer):
    """The old password and the new one."""

    old = SecretField(max_length=password_hashing.LONGEST, trim_whitespace=False)
    new = new_password()


class ForgotBody(StrictSerializer):
    """The address of the account whose password was forgotten."""

    email = AddressField(max_length=254, trim_whitespace=False)


class ResetBody(StrictSerializer):
    """The mailed token and the new password."""

    token = mailed_token()
    password = new_password()


class PasswordView(CommandView):
    """A view that takes a password: guesses are limited."""

    takes_idempotency_key = False  # passwords are not stored, not even in a digest

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Limit password guessing."""
        return sliding_window.of_login(request, identity.user_id if identity else None)


class MyPasswordView(PasswordView):
    """My password."""

    permission_classes = (LoggedIn,)
    bodies = {"POST": ChangeBody}

    @describe_command("change_password", answers={204: None})
    def post(self, call: Call) -> Answer:
        """Change my password. All log-ins end, including this one."""
        position = change.change(call.user_id, **call.body, origin=call.origin)
        return Answer(position, status=204)


class ForgottenView(PasswordView):
    """Requests to reset a forgotten password."""

    permission_classes = (Anybody,)
    bodies = {"POST": ForgotBody}

    @describe_command("forgot_password", answers={202: None}, appends=False)
    def post(self, call: Call) -> Answer:
        """Send an e-mail with a reset token. The answer is the same for unknown addresses."""
        outgoing_mail.enqueue(Purpose.RESET, email=call.body["email"])
        return Answer(None, status=202)


class ResetView(PasswordView):
    """Resets of forgotten passwords."""

    permission_classes = (Anybody,)
    bodies = {"POST": ResetBody}

    @describe_command("reset_password", answers={204: None})
    def post(self, call: Call) -> Answer:
        """Set a new password with the mailed token. All log-ins end."""
        position = change.reset(
            call.body["token"], password=call.body["password"], origin=call.origin
        )
        return Answer(position, status=204)
