"""Availability of a movie: a withdrawn one takes no new ratings, favourites or playlist entries."""

from dataclasses import dataclass

from infra.errors import Conflict

WITHDRAWN = "This movie was withdrawn."


@dataclass(frozen=True, slots=True)
class Availability:
    is_withdrawn: bool = False


AVAILABLE = Availability()


def refuse_withdrawn(availability: Availability) -> None:
    """Raise Conflict when the movie was withdrawn."""
    if availability.is_withdrawn:
        raise Conflict(f"{WITHDRAWN} It takes no new ratings, favourites or playlist entries.")
