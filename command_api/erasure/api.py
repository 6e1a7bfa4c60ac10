"""How does somebody have themselves forgotten over HTTP?"""

from collections.abc import Sequence
from typing import Any

import structlog
from django.db import Error as DatabaseError
from django.http import HttpRequest
from rest_framework import serializers

from command_api.accounts import passwords
from command_api.erasure import process, status_link
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from events.recorded import Position
from events.store import WrongExpectedVersion
from events.vault import erasures, subjects
from events.vault.erasures import ErasureProgress, ErasureReportLine
from infra.errors import Forbidden
from infra.http.permissions import Anybody, LoggedIn
from infra.http.strict_json import StrictSerializer
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import Throttle
from infra.security.access_tokens import Identity

_log = structlog.get_logger(__name__)


class ErasureBody(StrictSerializer):
    """That it is really them."""

    password = serializers.CharField(max_length=passwords.LONGEST, trim_whitespace=False)


class AskedAnswer(serializers.Serializer[Any]):
    """Where to see what becomes of it; there is no log-in any more."""

    link = serializers.CharField()


class EraseMeView(CommandView):
    """Me."""

    permission_classes = (LoggedIn,)
    bodies = {"DELETE": ErasureBody}
    # OpenAPI 3.0 has no place for it: who goes by the contract is told which field there is.
    bodies_optional = frozenset({"DELETE"})

    def scope(self, call: Call) -> None:
        """Whoever is erased has no tokens to ask again with."""

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Guessing a password must be slow, from wherever it is done."""
        by_address = sliding_window.of_login(request)
        return by_address._replace(who=str(identity.user_id)) if identity else by_address

    @describe_command(
        "erase_me",
        answers={202: AskedAnswer},
        problems=(403,),
        body=ErasureBody,
        takes_idempotency_key=False,
        appends=False,  # not while anybody waits: what is in its way is for later
    )
    def delete(self, call: Call) -> Answer:
        """Forget me: what I wrote and kept goes, how I rated stays as statistics of nobody.

        Takes a body, for which OpenAPI 3.0 has no place at this method: {"password": "..."}.
        """
        known = subjects.credentials_of(call.user_id)
        if not passwords.is_correct(call.body["password"], known and known.password_hash):
            raise Forbidden("The password is wrong.")
        process.mark_for_erasure(call.user_id)
        data = {"link": f"/v1/erasures/{status_link.encode(call.user_id)}"}
        return Answer(_carried_on(call), data, status=202)


def _carried_on(call: Call) -> Position | None:
    """Now, if that can be; it was taken on, so whatever stands against it is for later."""
    try:
        return process.complete(call.user_id, origin=call.origin)
    except (DatabaseError, WrongExpectedVersion) as fault:
        _log.warning("an erasure goes on later", user_id=str(call.user_id), fault=repr(fault))
        return None


class LineAnswer(serializers.Serializer[Any]):
    """What one part of the platform says."""

    part = serializers.CharField()
    said = serializers.CharField()
    at = serializers.DateTimeField()


class ErasureAnswer(serializers.Serializer[Any]):
    """How far it has come."""

    state = serializers.ChoiceField(("asked", "erased", "gone"))
    asked_at = serializers.DateTimeField()
    erased_at = serializers.DateTimeField(allow_null=True)
    gone_at = serializers.DateTimeField(allow_null=True)
    lines = LineAnswer(many=True)


class ErasureView(CommandView):
    """An erasure."""

    permission_classes = (Anybody,)

    def scope(self, call: Call) -> None:
        """Nothing is changed."""

    @describe_command(
        "erasure",
        answers={200: ErasureAnswer},
        problems=(404,),
        is_public=True,
        takes_idempotency_key=False,
        appends=False,
    )
    def get(self, call: Call, token: str = "") -> Answer:
        """What became of it: asked for, erased (the key is destroyed), gone (everywhere)."""
        user_id = status_link.decode(token)
        progress = erasures.find(user_id)
        if progress is None:
            raise status_link.unknown_link()
        return Answer(None, _told(progress, erasures.report_lines(user_id)))


def _told(progress: ErasureProgress, lines: Sequence[ErasureReportLine]) -> dict[str, Any]:
    state = "gone" if progress.gone_at else "erased" if progress.erased_at else "asked"
    return {
        "state": state,
        "asked_at": progress.asked_at,
        "erased_at": progress.erased_at,
        "gone_at": progress.gone_at,
        "lines": [line._asdict() for line in lines],
    }
