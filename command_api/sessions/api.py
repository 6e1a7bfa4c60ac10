"""How does one log in and out over HTTP?

No Idempotency-Key here: an answer that holds tokens is never kept.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from rest_framework import serializers

from command_api import event_store
from command_api.accounts import passwords
from command_api.accounts.decider import stream_of
from command_api.aggregate import partition_start
from command_api.http.openapi import describe_command
from command_api.http.view import Answer, Call, CommandView
from command_api.sessions import login, login_rate_limit, logout, refresh_token
from command_api.staff.grants import is_staff
from events import notifications
from events.recorded import Origin, Position
from events.vault import refresh_families
from events.vault.refresh_families import RefreshTokenId
from infra.config import config
from infra.http.openapi import Method, Shape
from infra.http.permissions import Anybody, LoggedIn
from infra.http.strict_json import StrictSerializer
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import Throttle
from infra.security import access_tokens
from infra.security.access_tokens import Identity

_LONGEST_LOGIN = 254


def _described(
    name: str, answers: Mapping[int, Shape | None], body: Shape, *, appends: bool = True
) -> Callable[[Method], Method]:
    return describe_command(
        name,
        answers=answers,
        problems=(401,),
        body=body,
        is_public=True,
        takes_idempotency_key=False,
        appends=appends,
    )


class LoginBody(StrictSerializer):
    """Who logs in."""

    login = serializers.CharField(max_length=_LONGEST_LOGIN, trim_whitespace=False)
    password = serializers.CharField(max_length=passwords.LONGEST, trim_whitespace=False)


class RefreshBody(StrictSerializer):
    """Which log-in is meant."""

    refresh = serializers.CharField(max_length=refresh_token.LONGEST, trim_whitespace=False)


class TokensAnswer(serializers.Serializer[Any]):
    """What a log-in is good for; the refresh token can be exchanged once."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class _SessionView(CommandView):
    permission_classes = (Anybody,)

    def scope(self, call: Call) -> None:
        """Tokens are given out once."""

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Nobody has a token here."""
        return sliding_window.of_refresh(request)


class TokensView(_SessionView):
    """All log-ins."""

    # How much is left says which counters there were, and so whether the address is known.
    shows_rate_on_refusal = False
    bodies = {"POST": LoginBody}

    def rate(self, request: HttpRequest, identity: Identity | None) -> Mapping[str, str]:
        """Guessing a password must be slow."""
        return login_rate_limit.admit(login_rate_limit.requested_login(request), request.META)

    @_described("log_in", {200: TokensAnswer}, LoginBody, appends=False)
    def post(self, call: Call) -> Answer:
        """Log in with a username or an e-mail address."""
        found = login.authenticate(**call.body, meta=call.meta)
        begun = login.open_session(found, life=timedelta(days=config().refresh_days))
        return _tokens(found.user_id, begun.refresh, begun.epoch)


class RefreshView(_SessionView):
    """The next pair of tokens of a log-in."""

    bodies = {"POST": RefreshBody}

    @_described("refresh", {200: TokensAnswer}, RefreshBody)
    def post(self, call: Call) -> Answer:
        """Exchange a refresh token. One that was exchanged before ends its log-in."""
        given = refresh_token.decode(call.body["refresh"])
        standing = refresh_families.login_status(given.family)
        if standing is None or standing.is_revoked:
            raise refresh_token.invalid_token()
        if logout.sync_epoch(standing.user_id, standing.epoch) > standing.epoch:
            raise refresh_token.invalid_token()
        following = refresh_families.rotate(given)
        if following is None:
            _end(standing.user_id, given.family, call.origin)
            raise refresh_token.invalid_token()
        return _tokens(standing.user_id, following, standing.epoch)


class RevokeView(_SessionView):
    """The end of a log-in."""

    bodies = {"POST": RefreshBody}

    @_described("log_out", {204: None}, RefreshBody)
    def post(self, call: Call) -> Answer:
        """Log out."""
        given = refresh_token.decode(call.body["refresh"])
        standing = refresh_families.login_status(given.family)
        if standing is None:
            raise refresh_token.invalid_token()
        return Answer(_end(standing.user_id, given.family, call.origin), status=204)


class RevokeAllView(CommandView):
    """The end of all log-ins."""

    permission_classes = (LoggedIn,)

    def scope(self, call: Call) -> None:
        """Once more is as good as once."""

    @describe_command("log_out_everywhere", answers={204: None}, takes_idempotency_key=False)
    def post(self, call: Call) -> Answer:
        """Log out everywhere."""
        return Answer(
            logout.end_all_sessions(call.user_id, origin=call.origin).position, status=204
        )


def _tokens(user_id: UUID, current: RefreshTokenId, epoch: int) -> Answer:
    # The epoch was read before: should a revocation of the staff come between, it ends this token.
    access = access_tokens.mint_access(user_id, current.family, epoch, is_staff=is_staff(user_id))
    data = {
        "access": access,
        "refresh": refresh_token.encode(current),
    }
    return Answer(_registered_at(user_id), data)


def _registered_at(user_id: UUID) -> Position:
    """Who has logged in can wait until their registration is known everywhere."""
    stream = stream_of(user_id)
    history = event_store.store().read(stream)
    return history[-1].position if history else partition_start(stream, event_store.store())


def _end(user_id: UUID, family: UUID, origin: Origin) -> Position:
    position = logout.end_session(user_id, family, origin=origin).position
    notifications.announce(position.partition)  # also when the answer is a refusal
    return position
