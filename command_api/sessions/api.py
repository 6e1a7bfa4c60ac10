"""HTTP endpoints for log-in, refresh and log-out.

They ignore Idempotency-Key: answers that hold tokens are never stored.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from rest_framework import serializers

from command_api import event_store
from command_api.accounts import password_hashing
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
from infra.http.permissions import Anybody, LoggedIn
from infra.http.strict_json import SecretField, StrictSerializer
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import Throttle
from infra.security import access_tokens
from infra.security.access_tokens import Identity


class LoginBody(StrictSerializer):
    """A log-in: a username or e-mail address, and the password."""

    login = serializers.CharField(max_length=login_rate_limit.LONGEST_LOGIN, trim_whitespace=False)
    password = SecretField(max_length=password_hashing.LONGEST, trim_whitespace=False)


class RefreshBody(StrictSerializer):
    """The refresh token of a log-in."""

    refresh = serializers.CharField(max_length=refresh_token.LONGEST, trim_whitespace=False)


class TokensAnswer(serializers.Serializer[Any]):
    """The tokens of a log-in; the refresh token can be exchanged once."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class _SessionView(CommandView):
    permission_classes = (Anybody,)
    takes_idempotency_key = False  # tokens are issued once

    def throttle(self, request: HttpRequest, identity: Identity | None) -> Throttle:
        """Limit by address: the request has no access token."""
        return sliding_window.of_refresh(request)


class TokensView(_SessionView):
    """Log-ins."""

    bodies = {"POST": LoginBody}

    def admit(self, request: HttpRequest) -> tuple[None, Mapping[str, str]]:
        """Limit password guessing.

        Refusals show no RateLimit headers: the remaining number would reveal which counters exist,
        and so whether the address is known.
        """
        typed = login_rate_limit.requested_login(request)
        return None, login_rate_limit.admit(typed, request.META)

    @describe_command("log_in", answers={200: TokensAnswer}, problems=(401,), appends=False)
    def post(self, call: Call) -> Answer:
        """Log in with a username or an e-mail address."""
        credentials = login.authenticate(**call.body, meta=call.meta)
        life = timedelta(days=config().refresh_days)
        refresh, epoch = login.open_session(credentials, life=life)
        return _tokens(credentials.user_id, refresh, epoch)


class RefreshView(_SessionView):
    """The next pair of tokens of a log-in."""

    bodies = {"POST": RefreshBody}

    @describe_command("refresh", answers={200: TokensAnswer}, problems=(401,))
    def post(self, call: Call) -> Answer:
        """Exchange a refresh token. A token that was exchanged before ends its log-in."""
        given = refresh_token.decode(call.body["refresh"])
        status = refresh_families.login_status(given.family)
        if status is None or status.is_revoked:
            raise refresh_token.invalid_token()
        if logout.sync_epoch(status.user_id, status.epoch) > status.epoch:
            raise refresh_token.invalid_token()
        rotated = refresh_families.rotate(given)
        if rotated is None:
            _end(status.user_id, given.family, call.origin)
            raise refresh_token.invalid_token()
        return _tokens(status.user_id, rotated, status.epoch)


class RevokeView(_SessionView):
    """The end of a log-in."""

    bodies = {"POST": RefreshBody}

    @describe_command("log_out", answers={204: None}, problems=(401,))
    def post(self, call: Call) -> Answer:
        """Log out."""
        given = refresh_token.decode(call.body["refresh"])
        status = refresh_families.login_status(given.family)
        if status is None:
            raise refresh_token.invalid_token()
        return Answer(_end(status.user_id, given.family, call.origin), status=204)


class RevokeAllView(CommandView):
    """The end of all log-ins."""

    permission_classes = (LoggedIn,)
    takes_idempotency_key = False  # a repetition does no harm

    @describe_command("log_out_everywhere", answers={204: None})
    def post(self, call: Call) -> Answer:
        """Log out everywhere."""
        return Answer(
            logout.end_all_sessions(call.user_id, origin=call.origin).position, status=204
        )


def _tokens(user_id: UUID, current: RefreshTokenId, epoch: int) -> Answer:
    # The epoch was read before is_staff: a revocation of the staff role in between ends this token.
    access = access_tokens.mint_access(user_id, current.family, epoch, is_staff=is_staff(user_id))
    data = {"access": access, "refresh": refresh_token.encode(current)}
    return Answer(_registered_at(user_id), data)


def _registered_at(user_id: UUID) -> Position:
    """Return the position of the registration, so that clients can wait for it in queries."""
    stream = stream_of(user_id)
    history = event_store.store().read(stream)
    return history[-1].position if history else partition_start(stream, event_store.store())


def _end(user_id: UUID, family: UUID, origin: Origin) -> Position:
    position = logout.end_session(user_id, family, origin=origin).position
    notifications.announce(position.partition)  # here, because the answer may be a refusal
    return position
