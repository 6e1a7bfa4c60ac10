"""Cursors: refusal of cursors that are not of this list."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.errors import Invalid
from infra.security.signing import BadSignature


@contextmanager
def reject_foreign_cursor() -> Iterator[None]:
    """Turn BadSignature into Invalid, which names the parameter."""
    try:
        yield
    except BadSignature as error:
        raise Invalid(
            "The cursor is not of this list. Start again without one.",
            errors=[("cursor", "not a cursor of this list")],
        ) from error
