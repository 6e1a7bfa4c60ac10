"""Consistency checks of recommendation lists: order, shares of reasons, seen movies, first page.

A user's taste, list, page and dirty mark are read in one transaction. Whether a list has the right
movies is not checked: the trends and neighbours it was built from are gone a second later.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic, sleep
from typing import NamedTuple

import msgspec

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
_POLL_SECONDS = 0.05
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


class ListCheck:
    """One pass over all lists of a generation."""

    def __init__(self, recommendations: Recommendations) -> None:
        self._model = recommendations
        self._problems: dict[str, str] = {}

    def run(self) -> list[str]:
        """What is inconsistent, or could not be checked, a line each."""
        people = [COLD_START, *sorted(self._model.people())]
        due = _wait_until_built(self._check_users(people), self._check_built)
        return [
            *(f"{user}: {problem}" for user, problem in sorted(self._problems.items())),
            *_not_built(due),
        ]

    def _check_users(self, users: Sequence[str]) -> Sequence[str]:
        """Collect inconsistencies; return users whose lists are still to be built."""
        due = []
        for user, stored in self._find(users):
            if stored.is_due:
                due.append(user)
            elif problem := next(_problems_of(user, stored), None):
                self._problems[user] = problem
        return due

    def _check_built(self, users: Sequence[str]) -> Sequence[str]:
        """Check the users whose lists are built now; return the others."""
        due = self._due(users)
        return [*due, *self._check_users([user for user in users if user not in due])]

    def _due(self, users: Sequence[str]) -> Collection[str]:
        by_shard = self._by_shard(users)
        with self._model.redis.pipeline(transaction=False) as pipe:
            for shard, of_shard in by_shard.items():
                pipe.exists(shard.derived("whole"))
                pipe.hmget(shard.derived("dirty"), of_shard)
            answers = iter(pipe.execute())
        return {
            user
            for of_shard, is_whole, marks in zip(by_shard.values(), answers, answers, strict=True)
            for user, mark in zip(of_shard, marks, strict=True)
            if mark is not None or not is_whole
        }

    def _find(self, users: Iterable[str]) -> Iterator[tuple[str, StoredList]]:
        for shard, of_shard in self._by_shard(users).items():
            rest = iter(of_shard)
            while some := list(islice(rest, _READ_AT_ONCE)):
                yield from self._read(shard, some)

    def _by_shard(self, users: Iterable[str]) -> Mapping[Shard, Sequence[str]]:
        found: dict[Shard, list[str]] = {}
        for user in users:
            shard = self._model.shard(0) if user == COLD_START else self._model.shard_of(user)
            found.setdefault(shard, []).append(user)
        return found

    def _read(self, shard: Shard, users: Sequence[str]) -> Iterator[tuple[str, StoredList]]:
        with self._model.redis.pipeline(transaction=True) as pipe:
            for user in users:
                enqueue_taste(pipe, shard, user)
                pipe.get(shard.derived("list", user))
                pipe.get(shard.derived("page", user))
                pipe.hexists(shard.derived("dirty"), user)
                pipe.exists(shard.derived("whole"))
            answers = iter(pipe.execute())
        for user in users:
            *taste, packed, page, is_marked, is_whole = islice(answers, _COMMANDS)
            listed = decode_list(packed) if packed else None
            yield (
                user,
                StoredList(
                    taste_from_replies(*taste), listed, page, bool(is_marked) or not is_whole
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
    yield from _inconsistencies(taste, listed, page)


def _inconsistencies(
    taste: UserTaste, listed: RecommendationList, page: bytes | None
) -> Iterator[str]:
    items = listed.items
    if seen := sorted(taste.seen.intersection(item.movie for item in items)):
        yield f"is recommended movies that they rated, favourited or hid: {seen}"
    if any(sum(round(100 * reason.share) for reason in item.reasons) > _WHOLE for item in items):
        yield "has reasons whose shares exceed 100 %"
    if list(items) != sorted(items, key=lambda item: (-item.score, item.movie)):
        yield "has a list that is not sorted by score"
    if not _is_page_of(page, items):
        yield "has a first page that differs from the list"


def _wait_until_built(
    users: Sequence[str], go_on: Callable[[Sequence[str]], Sequence[str]]
) -> Sequence[str]:
    """Call ``go_on`` with the remaining users while they get fewer; return those left."""
    left, deadline = users, monotonic() + _PATIENCE_SECONDS
    while left and monotonic() < deadline:
        sleep(_POLL_SECONDS)
        before, left = len(left), go_on(left)
        if len(left) < before:
            deadline = monotonic() + _PATIENCE_SECONDS
    return left


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
