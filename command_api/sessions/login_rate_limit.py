"""Rate limit of log-ins: slows down password guessing without locking out the account's owner.

Attempts count by client address and by login name, so neither can one address try many names, nor
many addresses one name. The count by name alone would let anyone lock an owner out. So an address
that logged in with a name is *known* for that name for a month, and has a counter of its own:
attacks on the name, or from the same address, do not lock the owner out. Known addresses are
forgotten when the password changes or the user is erased. Refreshing tokens is limited elsewhere.

A name counts as typed, before it is looked up. So a refusal reveals neither whether an account
exists, nor which name and address belong together. Redis stores names and addresses as digests with
the vault's pepper.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from time import time
from typing import Any

import msgspec
import structlog
from django.http import HttpRequest
from redis.exceptions import RedisError

from command_api.http.request_body import read_body
from events.vault.subjects import login_digest
from infra import clients
from infra.config import config
from infra.errors import Refused
from infra.rate_limit import atomic_counters
from infra.rate_limit.atomic_counters import TrustMark
from infra.rate_limit.client_address import address
from infra.rate_limit.sliding_window import HOUR, Throttle

KNOWN_SECONDS = 30 * 24 * HOUR
LONGEST_LOGIN = 254
"""Characters of the longest e-mail address."""

_log = structlog.get_logger(__name__)


class _Typed(msgspec.Struct):
    login: str = ""


_typed = msgspec.json.Decoder(_Typed)


def requested_login(request: HttpRequest) -> str:
    """Return the login in the body; empty for an invalid body, which is refused later."""
    try:
        return _typed.decode(read_body(request)).login
    except (Refused, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def admit(login: str, meta: Mapping[str, Any]) -> dict[str, str]:
    """Count an attempt; return the RateLimit headers. Raises TooMany; Unavailable without Redis."""
    if len(login) > LONGEST_LOGIN:
        login = ""  # nobody's; a digest normalises it, in quadratic time
    now, client = time(), address(meta)
    name = login_digest(login).hex()
    each, hourly = config().throttle_login_per_minute, config().throttle_account_per_hour
    return atomic_counters.admit(
        [
            Throttle("login", _pair(login, client), each, now),
            Throttle("login", client, each, now),
            Throttle("account", name, hourly, now, HOUR),
        ],
        clients.redis(),
        mark=_mark(login, client),
    )


def remember_address(login: str, meta: Mapping[str, Any]) -> None:
    """Make the address known for the login after a correct password."""
    try:
        mark, now = _mark(login, address(meta)), time()
        with clients.redis().pipeline() as pipe:
            pipe.zadd(mark.key, {mark.member: now + KNOWN_SECONDS})
            pipe.zremrangebyscore(mark.key, "-inf", now)
            pipe.expire(mark.key, KNOWN_SECONDS)
            pipe.execute()
    except RedisError as fault:
        _log.warning("known address not stored; Redis failed", fault=repr(fault))


def forget_addresses(digests: Sequence[bytes]) -> None:
    """Forget all known addresses of the logins with these digests."""
    if not digests:
        return
    try:
        clients.redis().delete(*map(_marks_of, digests))
    except RedisError as fault:  # they expire by themselves
        _log.warning("known addresses not deleted; Redis failed", fault=repr(fault))


def _mark(login: str, client: str) -> TrustMark:
    return TrustMark(_marks_of(login_digest(login)), _pair(login, client))


def _marks_of(digest: bytes) -> str:
    return f"throttle:command:{{login}}:known:{digest.hex()}"


def _pair(login: str, client: str) -> str:
    return sha256(login_digest(login) + client.encode()).hexdigest()
