"""May people have new opinions of a movie?"""

from dataclasses import dataclass

from infra.errors import Conflict

WITHDRAWN = "This movie was withdrawn."


@dataclass(frozen=True, slots=True)
class Availability:
    """How a movie stands in the catalogue."""

    is_withdrawn: bool = False


AVAILABLE = Availability()


def refuse_withdrawn(availability: Availability) -> None:
    """Raise Conflict when nobody may have a new opinion of the movie."""
    if availability.is_withdrawn:
        raise Conflict(f"{WITHDRAWN} No new opinions of it are taken.")
