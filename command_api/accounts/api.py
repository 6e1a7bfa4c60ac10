"""HTTP endpoint that registers an account."""

from typing import Any

from django.http import HttpRequest
from rest_framework import serializers

from command_api.accounts import password_hashing
from command_api.accounts.registration import Applicant, register
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.preferences.api import genre_list
from events.vault.email_domains import normal_address
from events.vault.subjects import email_scope
from infra.http.permissions import Anybody
from infra.http.strict_json import SecretField, StrictSerializer
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import Throttle
from infra.security.access_tokens import Identity

USERNAME = r"\A[A-Za-z0-9][A-Za-z0-9_.-]{2,29}\Z"
_NAMING = (
    "A username has 3 to 30 ASCII letters, digits, _, - or ., and starts with a letter or digit."
)


def new_password() -> SecretField:
    return SecretField(
        min_length=password_hashing.SHORTEST,
        max_length=password_hashing.LONGEST,
        trim_whitespace=False,
    )


class AddressField(serializers.EmailField):
    """An e-mail address in its normal form, with its domain in ASCII; that form is validated."""

    def to_internal_value(self, data: Any) -> str:
        return normal_address(super().to_internal_value(data))


class AccountBody(StrictSerializer):
    """A new account."""

    username = serializers.RegexField(
        USERNAME, trim_whitespace=False, error_messages={"invalid": _NAMING}
    )
    email = AddressField(max_length=254, trim_whitespace=False)
    password = new_password()
    genres = genre_list(required=False)


class AccountAnswer(serializers.Serializer[Any]):
    """The account that was opened."""

    id = serializers.UUIDField()
    username = serializers.CharField()


class AccountsView(CommandView):
    """Accounts."""

    permission_classes = (Anybody,)
    bodies = {"POST": AccountBody}

    def scope(self, call: Call) -> str:
        """Use the e-mail address: a new user has no id yet."""
        return f"email:{email_scope(call.body['email'])}"

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Limit registrations: each costs a password hash."""
        return sliding_window.of_registration(request)

    @describe_command("register", answers={201: AccountAnswer})
    def post(self, call: Call) -> Answer:
        """Open an account."""
        fields: dict[str, Any] = dict(call.body)
        applicant = Applicant(**fields | {"genres": tuple(fields.get("genres", ()))})
        user_id, position = register(applicant, origin=call.origin)
        data = {"id": user_id, "username": applicant.username}
        return Answer(position, data, status=201)
