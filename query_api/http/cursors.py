"""What is said to a cursor that is not ours, or another list's?"""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.errors import Invalid
from infra.security.signing import BadSignature


@contextmanager
def reject_foreign_cursor() -> Iterator[None]:
    """Refuses by name what does not open."""
    try:
        yield
    except BadSignature as error:
        raise Invalid(
            "The list can't be continued there.",
            errors=[("cursor", "This is no cursor of this list.")],
        ) from error
