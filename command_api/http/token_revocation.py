"""Does an access token still count?

The vault knows. It is asked at most once a second for each log-in, so a revocation holds everywhere
within a second, and at once in the process that was told of it.
"""

from time import monotonic
from uuid import UUID

from events.vault import refresh_families
from events.vault.refresh_families import LoginStatus
from infra.errors import Unauthenticated
from infra.security.access_tokens import Identity

FRESH_SECONDS = 1.0
_REMEMBERED = 10_000

_known: dict[UUID, tuple[float, LoginStatus | None]] = {}


def refuse_revoked(identity: Identity) -> None:
    """Raise Unauthenticated when the log-in, or the epoch, of a token is over."""
    standing = _standing(identity.family)
    if (
        standing is None
        or standing.is_revoked
        or standing.user_id != identity.user_id
        or standing.epoch > identity.epoch
    ):
        raise Unauthenticated("The access token was revoked.")


def clear_cache(family: UUID | None = None) -> None:
    """Ask the vault again; of all log-ins unless one is named."""
    if family is None:
        _known.clear()
    else:
        _known.pop(family, None)


def _standing(family: UUID) -> LoginStatus | None:
    known = _known.get(family)
    if known is not None and monotonic() - known[0] < FRESH_SECONDS:
        return known[1]
    if len(_known) >= _REMEMBERED:
        _known.clear()
    asked = monotonic()
    standing = refresh_families.login_status(family)
    _known[family] = asked, standing
    return standing
