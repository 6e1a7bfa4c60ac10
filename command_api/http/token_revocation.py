"""Token revocation: refuses access tokens whose log-in was ended.

The vault is asked at most once a second for each log-in. So a revocation holds everywhere within a
second, and at once in the process that carried it out.
"""

from time import monotonic
from uuid import UUID

from events.vault import refresh_families
from events.vault.refresh_families import LoginStatus
from infra.errors import Unauthenticated
from infra.security.access_tokens import Identity

FRESH_SECONDS = 1.0
_CACHE_SIZE = 10_000
_NEVER = float("-inf"), None

_cache: dict[UUID, tuple[float, LoginStatus | None]] = {}


def refuse_revoked(identity: Identity) -> None:
    """Raise Unauthenticated if the token's log-in or epoch was revoked."""
    now = monotonic()
    read_at, status = _cache.get(identity.family, _NEVER)
    if now - read_at >= FRESH_SECONDS:
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        status = refresh_families.login_status(identity.family)
        _cache[identity.family] = now, status
    if (
        status is None
        or status.is_revoked
        or status.user_id != identity.user_id
        or status.epoch > identity.epoch
    ):
        raise Unauthenticated("The access token was revoked.")


def clear_cache(family: UUID | None = None) -> None:
    """Forget the cached status of one log-in, or of all."""
    if family is None:
        _cache.clear()
    else:
        _cache.pop(family, None)
