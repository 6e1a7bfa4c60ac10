"""Consistency checks of recommendation lists: order, shares of reasons, seen movies, first page.

A user's taste, list, page and dirty mark are read in one transaction. Whether a list has the right
movies is not checked: the trends and neighbours it was built from are gone a second later.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from time import monotonic, sleep
from typing import NamedTuple

import msgspec
from redis import Redis

from projectors.read_models.recommendations.genre_affinity import RecommendationReason
from projectors.read_models.recommendations.page import RecommendedMovie
from projectors.read_models.recommendations.ranking import (
    NO_TASTE,
    UserTaste,
    enqueue_taste,
    taste_from_replies,
)
from projectors.read_models.recommendations.read_model import (
    COLD_START,
    RecommendationList,
    Recommendations,
    decode_list,
)
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.storage.shard import Shard

_PATIENCE_SECONDS = 30.0
"""How long no list at all is built before the check gives up: a worker far behind builds seldom."""
_POLL_SECONDS = 0.1
_READ_AT_ONCE = 100
_WHOLE = 100  # shares have two digits
_COMMANDS = 8


class _Shown(msgspec.Struct):
    id: int
    score: float
    reasons: tuple[RecommendationReason, ...]


class _Page(msgspec.Struct):
    items: list[_Shown]


_page = msgspec.json.Decoder(_Page)


class StoredList(NamedTuple):
    """All that is stored of one user at one moment."""

    taste: UserTaste
    listed: RecommendationList | None
    page: bytes | None
    is_due: bool
    """Whether their list is still to be built."""


def check_lists(model: Recommendations) -> list[str]:
    """What is inconsistent, or could not be checked, a line each.

    Lists that are still to be built are read again until they are, or no more get built.
    """
    problems: dict[str, str] = {}
    users = [COLD_START, *sorted(model.people())]
    deadline = monotonic() + _PATIENCE_SECONDS
    while True:
        due = []
        for user, stored in _stored_lists(model, users):
            if stored.is_due:
                due.append(user)
            elif problem := next(_problems_of(user, stored), None):
                problems[user] = problem
        if len(due) < len(users):
            deadline = monotonic() + _PATIENCE_SECONDS
        users = due
        if not users or monotonic() >= deadline:
            break
        sleep(_POLL_SECONDS)
    return [
        *(f"{user}: {problem}" for user, problem in sorted(problems.items())),
        *_not_built(users),
    ]


def _stored_lists(model: Recommendations, users: Iterable[str]) -> Iterator[tuple[str, StoredList]]:
    by_shard: defaultdict[Shard, list[str]] = defaultdict(list)
    for user in users:
        by_shard[model.shard(0) if user == COLD_START else model.shard_of(user)].append(user)
    for shard, of_shard in by_shard.items():
        for start in range(0, len(of_shard), _READ_AT_ONCE):
            yield from _read(model.redis, shard, of_shard[start : start + _READ_AT_ONCE])


def _read(redis: Redis, shard: Shard, users: Sequence[str]) -> Iterator[tuple[str, StoredList]]:
    with redis.pipeline(transaction=True) as pipe:
        for user in users:
            enqueue_taste(pipe, shard, user)
            pipe.get(shard.derived("list", user))
            pipe.get(shard.derived("page", user))
            pipe.hexists(shard.derived("dirty"), user)
            pipe.exists(shard.derived("whole"))
        answers = iter(pipe.execute())
    for user in users:
        *taste, packed, page, is_marked, is_whole = islice(answers, _COMMANDS)
        yield (
            user,
            StoredList(
                taste_from_replies(*taste),
                decode_list(packed) if packed else None,
                page,
                is_due=bool(is_marked) or not is_whole,
            ),
        )


def _problems_of(user: str, stored: StoredList) -> Iterator[str]:
    """What is wrong with a user's list, a line each."""
    taste, listed, page, _ = stored
    if user != COLD_START and taste == NO_TASTE:
        if listed is not None or page is not None:
            yield "has a list without any events"
        return
    if listed is None:
        yield "has no list"
        return
    items = listed.items
    if seen := sorted(taste.seen.intersection(item.movie for item in items)):
        yield f"is recommended movies that they rated, favourited or hid: {seen}"
    if any(sum(round(100 * reason.share) for reason in item.reasons) > _WHOLE for item in items):
        yield "has reasons whose shares exceed 100 %"
    if list(items) != sorted(items, key=lambda item: (-item.score, item.movie)):
        yield "has a list that is not sorted by score"
    if not _is_page_of(page, items):
        yield "has a first page that differs from the list"


def _not_built(users: Sequence[str]) -> Iterator[str]:
    if users:
        more = f" and {len(users) - 1:,} more" if len(users) > 1 else ""
        yield (
            f"could not be compared: the list of {users[0]}{more} is not built"
            " (is a projector running?)"
        )


def _is_page_of(page: bytes | None, items: Sequence[RecommendedMovie]) -> bool:
    """Whether the page shows the list; movies that had no card when it was built are missing."""
    if page is None:
        return False
    shown = [(item.id, item.score, item.reasons) for item in _page.decode(page).items]
    there = {movie for movie, *_ in shown}
    first = [item for item in items[:DEFAULT_LIMIT] if item.movie in there]
    return shown == [(item.movie, item.score, item.reasons) for item in first]
