"""Which answers say no, and why?

    Refused
    ├── BadRequest 400          it can't be read at all
    ├── Unauthenticated 401     nobody, or a token that counts no more
    ├── Forbidden 403           known, but not allowed
    ├── NotFound 404            not there, or not yours to know of
    ├── Conflict 409            moved meanwhile
    ├── PreconditionFailed 412  If-Match names another version
    ├── TooLarge 413
    ├── TooLong 414
    ├── Unsupported 415
    ├── Invalid 422             read, but against a rule; ``errors`` name the fields
    ├── TooMany 429             later, and less often
    └── Unavailable 503         later: what it needs is away, or not that far yet

Raised where the rule is; ``infra.http.problem_details`` turns it into HTTP. Everything else is a
fault.
"""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """What is wrong with one field, parameter or header."""

    field: str
    reason: str


class Refused(Exception):
    """A rule said no."""

    status: ClassVar[int]
    type: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str = "", *, errors: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(FieldError(*error) for error in errors)

    @property
    def headers(self) -> dict[str, str]:
        """What HTTP wants beside the status."""
        return {}


class BadRequest(Refused):
    """The request can't be read."""

    status = 400
    type = "/problems/bad-request"
    title = "The request can't be read"


class Unauthenticated(Refused):
    """Nobody is logged in, or the token counts no more."""

    status = 401
    type = "/problems/unauthenticated"
    title = "A valid access token is needed"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Refused):
    """Not allowed, whoever asks so."""

    status = 403
    type = "/problems/forbidden"
    title = "Not allowed"


class NotFound(Refused):
    """Not there, or not theirs to know of."""

    status = 404
    type = "/problems/not-found"
    title = "Not found"


class Conflict(Refused):
    """It moved meanwhile, or somebody has it already."""

    status = 409
    type = "/problems/conflict"
    title = "In conflict with what is there"


class PreconditionFailed(Refused):
    """It has another version than the one that was asked for."""

    status = 412
    type = "/problems/precondition-failed"
    title = "It has another version"


class TooLarge(Refused):
    """The body is over the limit."""

    status = 413
    type = "/problems/too-large"
    title = "The body is too large"


class TooLong(Refused):
    """The address is over the limit."""

    status = 414
    type = "/problems/too-long"
    title = "The address is too long"


class Unsupported(Refused):
    """The body is in a form that isn't read here."""

    status = 415
    type = "/problems/unsupported-media-type"
    title = "The body must be application/json"


class Invalid(Refused):
    """Read and understood, but against a rule."""

    status = 422
    type = "/problems/invalid"
    title = "Against the rules"


class _Later(Refused):
    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_seconds: int = 1,
        errors: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(detail, errors=errors)
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class TooMany(_Later):
    """Too often."""

    status = 429
    type = "/problems/too-many-requests"
    title = "Too many requests"

    def __init__(
        self, detail: str = "", *, retry_after_seconds: int, rate: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)
        self._rate = rate or {}

    @property
    def headers(self) -> dict[str, str]:
        return super().headers | self._rate


class Unavailable(_Later):
    """What it needs is away, or not that far yet."""

    status = 503
    type = "/problems/unavailable"
    title = "Not now"
