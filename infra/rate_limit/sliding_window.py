"""How often may someone ask?

A sliding window, kept as two counts in Redis under ``throttle:*``: of this minute, and of the one
before, which counts by as much as of it the window still covers. Each request moves the count by
one step of Redis and is judged by what that step answered, so that no two are judged by the same.
Each API has its own: the query API's user of Redis may write ``throttle:query:*`` and no other
(infra/redis/users.acl), so that whoever took it over could not guess passwords without end.

Reads count in the trip that fetches their answer (``enqueue``, ``judge``): plain commands, because
the query API's user of Redis may run no scripts. What is refused there has been counted, so who
hammers on stays out until they slow down. Commands count by ``local_counters``, and what invites
guessing by ``atomic_counters``.
"""

from collections.abc import Mapping
from time import time
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from django.http import HttpRequest

from infra.config import config
from infra.errors import TooMany
from infra.rate_limit.client_address import address
from infra.redis_pipeline import ReadCommands

Scope: TypeAlias = Literal[
    # Reads of a user, or of an address without a token or with one that is none.
    "read",
    # Searches of the same, which cost the index.
    "search",
    # Commands without a token, or with one that is none, by address.
    "anonymous",
    # Commands of a user.
    "write",
    # Lists of ratings of a user, and all their data.
    "import",
    # New accounts, by address: each costs a password's hash.
    "register",
    # Log-ins by address: the same.
    "login",
    # Log-ins by the name that was typed, from wherever.
    "account",
    # Refreshed tokens, by address.
    "refresh",
]
_OF_QUERIES: frozenset[Scope] = frozenset({"read", "search"})
MINUTE, HOUR = 60, 3600
RATE = "marquee.rate"
"""Where META has the RateLimit headers, once the request was counted: refusals say them, too."""
COMMANDS = 3
"""How many answers ``enqueue`` adds to a pipeline; ``seen`` wants all."""


class WindowCount(NamedTuple):
    """What a counter stood at, with the request that asks."""

    current: int
    previous: int


class Throttle(NamedTuple):
    """One counter: whose, and how high it may go in a window."""

    scope: Scope
    who: str
    limit: int
    now: float
    seconds: int = MINUTE

    @property
    def key(self) -> str:
        """Where the count of this window is."""
        return self._key(int(self.now) // self.seconds)

    @property
    def previous_key(self) -> str:
        """Where that of the window before is."""
        return self._key(int(self.now) // self.seconds - 1)

    @property
    def weight(self) -> float:
        """How much of the window before still counts."""
        return 1 - self.now % self.seconds / self.seconds

    def _key(self, window: int) -> str:
        side = "query" if self.scope in _OF_QUERIES else "command"
        return f"throttle:{side}:{{{self.scope}:{self.who}}}:{window}"

    def enqueue(self, pipe: ReadCommands, by: int = 1) -> None:
        """Count this request, or so many, in a pipeline."""
        pipe.incr(self.key, by)
        pipe.expire(self.key, 2 * self.seconds)
        pipe.get(self.previous_key)

    def used(self, seen: WindowCount) -> int:
        """How much of the limit is used."""
        return int(seen.previous * self.weight) + seen.current

    def judge(self, seen: WindowCount) -> dict[str, str]:
        """The RateLimit headers; raises TooMany beyond the limit."""
        used = self.used(seen)
        is_over = used > self.limit and config().throttle
        reset = self.wait_seconds(seen) if is_over else self._left_seconds()
        headers = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - used)),
            "RateLimit-Reset": str(reset),
        }
        if is_over:
            raise TooMany(
                f"At most {self.limit} {'an hour' if self.seconds == HOUR else 'a minute'}.",
                retry_after_seconds=reset,
                rate=headers,
            )
        return headers

    def wait_seconds(self, seen: WindowCount) -> int:
        """When there is room for one again, if nobody asks until then."""
        taken, passed = seen.current - 1, self.now % self.seconds
        if taken < self.limit:  # the window before only has to move out of sight
            share = 1 - (self.limit - taken) / seen.previous
            wait = share * self.seconds - passed
        else:
            share = 1 - self.limit / taken
            wait = self.seconds - passed + share * self.seconds
        return max(1, int(wait) + 1)

    def _left_seconds(self) -> int:
        return self.seconds - int(self.now) % self.seconds


def seen(answers: Any) -> WindowCount:
    """What ``enqueue``'s commands were answered."""
    current, _, previous = answers
    return WindowCount(current, int(previous or 0))


def of_reader(user_id: UUID | None, meta: Mapping[str, Any], scope: Scope = "read") -> Throttle:
    """For what somebody reads, with a token or without; with one that is none, it is without."""
    who = address(meta) if user_id is None else str(user_id)
    if scope == "search":
        limit = config().throttle_search_per_minute
    elif user_id is None:
        limit = config().throttle_anonymous_per_minute
    else:
        limit = config().throttle_user_per_minute
    return Throttle(scope, who, limit, time())


def of_address(request: HttpRequest) -> Throttle:
    """For commands without a token, or with one that is none."""
    limit = config().throttle_anonymous_per_minute
    return Throttle("anonymous", address(request.META), limit, time())


def of_user(user_id: UUID) -> Throttle:
    """For a user's commands."""
    return Throttle("write", str(user_id), config().throttle_write_per_minute, time())


def of_import(user_id: UUID) -> Throttle:
    """For the lists that a user brings or takes along."""
    return Throttle("import", str(user_id), config().throttle_import_per_minute, time())


def of_registration(request: HttpRequest) -> Throttle:
    """For new accounts from an address."""
    limit = config().throttle_register_per_minute
    return Throttle("register", address(request.META), limit, time())


def of_login(request: HttpRequest) -> Throttle:
    """For log-ins from an address."""
    return Throttle("login", address(request.META), config().throttle_login_per_minute, time())


def of_refresh(request: HttpRequest) -> Throttle:
    """For log-ins that are kept up from an address."""
    limit = config().throttle_refresh_per_minute
    return Throttle("refresh", address(request.META), limit, time())
