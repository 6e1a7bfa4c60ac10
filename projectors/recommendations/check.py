"""Is anything wrong with the lists that were made?"""

from collections.abc import Iterator, Sequence

import msgspec

from projectors.page import DEFAULT_LIMIT
from projectors.recommendations.lists import read_said
from projectors.recommendations.page import Item
from projectors.recommendations.read_model import Recommendations


class _Shown(msgspec.Struct):
    id: int


class _Page(msgspec.Struct):
    items: list[_Shown]


_WHOLE = 100  # shares have two digits
_page = msgspec.json.Decoder(_Page)


def problems(recommendations: Recommendations) -> list[str]:
    """What is wrong with the list of anyone who said something of a movie, a line each."""
    return [
        f"{user}: {problem}"
        for user in sorted({user for _, user in recommendations.who_spoke()})
        for problem in _wrong(recommendations, user)
    ]


def _wrong(recommendations: Recommendations, user: str) -> Iterator[str]:
    shard = recommendations.shard_of(user)
    listed, page = recommendations.made(user)
    if listed is None:
        yield "has no list"
        return
    items = listed.items
    said = read_said(recommendations.redis, shard, [user])[user]
    if seen := sorted(said.seen.intersection(item.movie for item in items)):
        yield f"has rated, kept or hidden what is recommended: {seen}"
    if any(sum(round(100 * reason.share) for reason in item.reasons) > _WHOLE for item in items):
        yield "has reasons for more than the whole"
    if list(items) != sorted(items, key=lambda item: (-item.score, item.movie)):
        yield "has a list out of order"
    if not _is_page_of(page, items):
        yield "has a first page that is not that of the list"


def _is_page_of(page: bytes | None, items: Sequence[Item]) -> bool:
    if page is None:
        return False
    shown = [item.id for item in _page.decode(page).items]
    return shown == [item.movie for item in items[:DEFAULT_LIMIT]]
