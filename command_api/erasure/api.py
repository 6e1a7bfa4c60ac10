"""HTTP endpoints that erase a user and show an erasure's progress."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from django.db import Error as DatabaseError
from rest_framework import serializers

from command_api.accounts import password_hashing
from command_api.erasure import process
from command_api.http import mac_token
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.passwords.api import PasswordView
from events.recorded import Position
from events.store import WrongExpectedVersion
from events.vault import erasures, subjects
from events.vault.erasures import ErasureProgress, ErasureReportLine
from infra.errors import Forbidden, NotFound
from infra.http.permissions import Anybody, LoggedIn
from infra.http.strict_json import SecretField, StrictSerializer

_STATUS_LINK = "erasure"

_log = structlog.get_logger(__name__)


class ErasureBody(StrictSerializer):
    """The user's password, as confirmation."""

    password = SecretField(max_length=password_hashing.LONGEST, trim_whitespace=False)


class AskedAnswer(serializers.Serializer[Any]):
    """The link that shows the progress; it needs no log-in."""

    link = serializers.CharField()


class EraseMeView(PasswordView):
    """My account."""

    metrics_name = "MeView"
    permission_classes = (LoggedIn,)
    bodies = {"DELETE": ErasureBody}
    # OpenAPI 3.0 has no body for DELETE: clients built from it get an error that names the field.
    bodies_optional = frozenset({"DELETE"})

    @describe_command(
        "erase_me",
        answers={202: AskedAnswer},
        problems=(403,),
        appends=False,  # a conflict is retried later, by the sweep
    )
    def delete(self, call: Call) -> Answer:
        """Erase me: personal data is deleted, ratings stay as anonymous statistics.

        Needs a body, which OpenAPI 3.0 cannot describe for DELETE: {"password": "..."}.
        """
        credentials = subjects.credentials_of(call.user_id)
        if not password_hashing.is_correct(
            call.body["password"], credentials and credentials.password_hash
        ):
            raise Forbidden("The password is wrong.")
        process.mark_for_erasure(call.user_id)
        data = {"link": f"/v1/erasures/{status_token(call.user_id)}"}
        return Answer(_complete_now(call), data, status=202)


def status_token(user_id: UUID) -> str:
    """Return the token that shows the progress to a user who can't log in any more."""
    return mac_token.write(_STATUS_LINK, user_id.bytes).rstrip("=")


def _complete_now(call: Call) -> Position | None:
    """Try to complete the erasure at once; None leaves it to the sweep."""
    try:
        return process.complete(call.user_id, origin=call.origin)
    except (DatabaseError, WrongExpectedVersion) as fault:
        _log.warning(
            "erasure interrupted; the sweep will complete it",
            user_id=str(call.user_id),
            fault=repr(fault),
        )
        return None


class LineAnswer(serializers.Serializer[Any]):
    """The report of one part of the platform."""

    part = serializers.CharField()
    said = serializers.CharField()
    at = serializers.DateTimeField()


class ErasureAnswer(serializers.Serializer[Any]):
    """The progress of an erasure."""

    state = serializers.ChoiceField(("asked", "erased", "gone"))
    asked_at = serializers.DateTimeField()
    erased_at = serializers.DateTimeField(allow_null=True)
    gone_at = serializers.DateTimeField(allow_null=True)
    lines = LineAnswer(many=True)


class ErasureView(CommandView):
    """An erasure."""

    permission_classes = (Anybody,)
    takes_idempotency_key = False  # nothing is changed

    @describe_command("erasure", answers={200: ErasureAnswer}, problems=(404,), appends=False)
    def get(self, call: Call, token: str = "") -> Answer:
        """Show the state: asked, erased (the key is destroyed), gone (purged everywhere)."""
        user_id = mac_token.read(_STATUS_LINK, token + "=" * (-len(token) % 4))
        progress = user_id and erasures.find(UUID(bytes=user_id))
        if not user_id or not progress:
            raise NotFound("There is no such erasure.")
        return Answer(None, _report(progress, erasures.report_lines(progress.user_id)))


def _report(progress: ErasureProgress, lines: Sequence[ErasureReportLine]) -> dict[str, Any]:
    state = "gone" if progress.gone_at else "erased" if progress.erased_at else "asked"
    return {
        "state": state,
        "asked_at": progress.asked_at,
        "erased_at": progress.erased_at,
        "gone_at": progress.gone_at,
        "lines": [line._asdict() for line in lines],
    }
