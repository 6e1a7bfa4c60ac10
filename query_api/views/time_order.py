"""Lists ordered by time: the query parameter, and the items behind a cursor."""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, TypeVar

from rest_framework import serializers

from infra.http.strict_json import PageQuery

Order: TypeAlias = Literal["new", "old"]

P = TypeVar("P", bound=tuple[Any, ...])


class OrderedQuery(PageQuery):
    """The newest first, or the oldest."""

    sort = serializers.ChoiceField(["new", "old"], default="new")


def in_order(places: Iterable[P], order: Order, *, behind: P | None) -> list[P]:
    """The places behind one, all if there is none; each begins with its time."""
    match order:
        case "new":
            rest = [place for place in places if behind is None or place < behind]
            return sorted(rest, reverse=True)
        case "old":
            return sorted(place for place in places if behind is None or place > behind)
