"""How often may a password be guessed, without locking out whose it is?

Log-ins count by the address they come from, and by the name that was typed: so neither one address
can try many names, nor many addresses one name. The second alone would let anybody lock somebody
out. So an address from which a name was logged in with before is *known* for it, for a month, and
counts by itself: whatever strangers do, to the name or from the same address, its owner gets in.
With the password, or with the person, what is known goes.
Who is logged in already is not asked for the password at all: refreshing counts elsewhere.

The name counts as typed, known or not, before anyone looks whether there is one: a refusal tells
nothing of who has an account, nor which name and address belong together. What Redis keeps of name
and address are digests with the vault's pepper.
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

_log = structlog.get_logger(__name__)


class _Typed(msgspec.Struct):
    login: str = ""


_typed = msgspec.json.Decoder(_Typed)


def requested_login(request: HttpRequest) -> str:
    """The name that a log-in is for; empty when its body is none, which is refused later."""
    try:
        return _typed.decode(read_body(request)).login
    except (Refused, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def admit(login: str, meta: Mapping[str, Any]) -> dict[str, str]:
    """Count an attempt; the RateLimit headers. Raises TooMany, or Unavailable without Redis."""
    now, where = time(), address(meta)
    name = login_digest(login).hex()
    each, hourly = config().throttle_login_per_minute, config().throttle_account_per_hour
    return atomic_counters.admit(
        [
            Throttle("login", _pair(login, where), each, now),
            Throttle("login", where, each, now),
            Throttle("account", name, hourly, now, HOUR),
        ],
        clients.redis(),
        mark=_mark(login, where),
    )


def remember_address(login: str, meta: Mapping[str, Any]) -> None:
    """The password was right: the address is known for the name from now on."""
    try:
        mark, now = _mark(login, address(meta)), time()
        with clients.redis().pipeline() as pipe:
            pipe.zadd(mark.key, {mark.member: now + KNOWN_SECONDS})
            pipe.zremrangebyscore(mark.key, "-inf", now)
            pipe.expire(mark.key, KNOWN_SECONDS)
            pipe.execute()
    except RedisError as fault:
        _log.warning("address not remembered", fault=repr(fault))


def forget_addresses(digests: Sequence[bytes]) -> None:
    """No address is known any more for names with these digests."""
    if not digests:
        return
    try:
        clients.redis().delete(*map(_marks_of, digests))
    except RedisError as fault:  # they end by themselves
        _log.warning("addresses not forgotten", fault=repr(fault))


def _mark(login: str, where: str) -> TrustMark:
    return TrustMark(_marks_of(login_digest(login)), _pair(login, where))


def _marks_of(digest: bytes) -> str:
    return f"throttle:command:known:{digest.hex()}"


def _pair(login: str, where: str) -> str:
    return sha256(login_digest(login) + where.encode()).hexdigest()
