"""Errors that refuse a request, and their HTTP status.

    Refused
    ├── BadRequest 400          malformed request
    ├── Unauthenticated 401     no token, or an invalid one
    ├── Forbidden 403           not allowed
    ├── NotFound 404            does not exist, or is not visible to the user
    ├── Conflict 409            changed concurrently
    ├── PreconditionFailed 412  If-Match names another version
    ├── TooLarge 413            request body
    ├── TooLong 414             URL
    ├── Unsupported 415         media type
    ├── Invalid 422             breaks a rule; ``errors`` name the fields
    ├── TooMany 429             rate limit
    └── Unavailable 503         a server is away, or a read model is behind

Raised where the rule is; ``infra.http.problem_details`` turns it into HTTP. Every other exception
is a fault (500).
"""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """What is wrong with a field, parameter or header."""

    field: str
    reason: str


class Refused(Exception):
    """The request is refused by a rule."""

    status: ClassVar[int]
    type: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str = "", *, errors: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(FieldError(*error) for error in errors)

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the response."""
        return {}


class BadRequest(Refused):
    """The request is malformed."""

    status = 400
    type = "/problems/bad-request"
    title = "Malformed request"


class Unauthenticated(Refused):
    """There is no access token, or it is invalid."""

    status = 401
    type = "/problems/unauthenticated"
    title = "A valid access token is needed"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Refused):
    """Not allowed."""

    status = 403
    type = "/problems/forbidden"
    title = "Not allowed"


class NotFound(Refused):
    """Does not exist, or is not visible to the user."""

    status = 404
    type = "/problems/not-found"
    title = "Not found"


class Conflict(Refused):
    """It was changed concurrently, or is taken already."""

    status = 409
    type = "/problems/conflict"
    title = "Conflict with the current state"


class PreconditionFailed(Refused):
    """It has another version than If-Match names."""

    status = 412
    type = "/problems/precondition-failed"
    title = "It has another version"


class TooLarge(Refused):
    """The request body is over the limit."""

    status = 413
    type = "/problems/too-large"
    title = "The body is too large"


class TooLong(Refused):
    """The URL is over the limit."""

    status = 414
    type = "/problems/too-long"
    title = "The URL is too long"


class Unsupported(Refused):
    """The request body has an unsupported media type."""

    status = 415
    type = "/problems/unsupported-media-type"
    title = "The body must be application/json"


class Invalid(Refused):
    """The request breaks a rule; the errors name the fields."""

    status = 422
    type = "/problems/invalid"
    title = "Invalid request"


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
    """The rate limit is exceeded."""

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
    """A server is away, or a read model is behind."""

    status = 503
    type = "/problems/unavailable"
    title = "Temporarily unavailable"
