"""How is an event of an older version read as today's?

An upcaster is pure: it takes the stored object, tag included, and returns the object of the next
version, one for one. A chain of them leads to a tag that ``events.catalogue`` knows. Whatever reads
events does so through ``events.codec.decode``, so one line below is all that a new upcaster needs.
"""

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[str, Upcaster] = {}


def upcast(stored: dict[str, Any], upcasters: Mapping[str, Upcaster] = UPCASTERS) -> dict[str, Any]:
    """Today's form of a stored event."""
    while step := upcasters.get(stored["type"]):
        stored = step(stored)
    return stored
