"""Cursors: refuses forged cursors and those of other lists with 422."""

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
            "The cursor does not belong to this list. Start again without a cursor.",
            errors=[("cursor", "does not belong to this list")],
        ) from error
