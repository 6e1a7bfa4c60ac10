"""Upcasters: turn stored events of older versions into today's.

An upcaster is pure: it takes the stored object, tag included, and returns the object of the next
version. A chain of them leads to a tag that ``events.catalogue`` has. All readers decode with
``events.codec.decode``, so an entry below is all that a new upcaster needs.
"""

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[str, Upcaster] = {}


def upcast(stored: dict[str, Any], upcasters: Mapping[str, Upcaster] = UPCASTERS) -> dict[str, Any]:
    """Apply upcasters until the tag has none."""
    while upcaster := upcasters.get(stored["type"]):
        stored = upcaster(stored)
    return stored
