"""May people have new opinions of a movie?"""

from dataclasses import dataclass

from infra.errors import Conflict

WITHDRAWN = "This movie was withdrawn."


@dataclass(frozen=True, slots=True)
class Listing:
    """How a movie stands in the catalogue."""

    is_withdrawn: bool = False


LISTED = Listing()


def refuse_unlisted(listing: Listing) -> None:
    """Raise Conflict when nobody may have a new opinion of the movie."""
    if listing.is_withdrawn:
        raise Conflict(f"{WITHDRAWN} No new opinions of it are taken.")
