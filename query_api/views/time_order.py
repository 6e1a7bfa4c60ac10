"""Lists ordered by time: the query parameter, and the items after a cursor."""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, TypeVar

from rest_framework import serializers

from infra.http.strict_json import PageQuery

Order: TypeAlias = Literal["new", "old"]

P = TypeVar("P", bound=tuple[Any, ...])


class OrderedQuery(PageQuery):
    """Page and order: the newest first, or the oldest."""

    sort = serializers.ChoiceField(["new", "old"], default="new")


def in_order(positions: Iterable[P], order: Order, *, after: P | None) -> list[P]:
    """Sort positions, which begin with a time; only those after a cursor's, if there is one."""
    match order:
        case "new":
            rest = [position for position in positions if after is None or position < after]
            return sorted(rest, reverse=True)
        case "old":
            return sorted(position for position in positions if after is None or position > after)
