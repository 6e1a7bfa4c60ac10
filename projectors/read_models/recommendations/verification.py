"""Is every list what its maker would make of the same?

What someone said, their list and its mark are read in one step, so it is known of which words a
list must be. Of everyone's it is seen that nobody but its maker wrote it, that it is of these words
and that its page is its own. Then lists are made anew, and compared: of all people while they are
few, else of a sample.

A list is made of the market of its time, which moves with every rating. One that differs is wrong
if it was made of what is there now; else it is not known what it had to be. Then what the market is
made of stands still for a moment, the list is asked for again, and compared with that.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from random import Random
from time import monotonic, sleep
from typing import NamedTuple, TypeAlias

import msgspec

from projectors.read_models.recommendations.candidate_snapshot import Glance, Market, Sources
from projectors.read_models.recommendations.genre_affinity import Reason
from projectors.read_models.recommendations.input_digest import seal_of
from projectors.read_models.recommendations.page import Item
from projectors.read_models.recommendations.ranking import (
    NOTHING,
    Said,
    ask_said,
    recommended,
    said_of,
)
from projectors.read_models.recommendations.read_model import (
    NOBODY,
    Listed,
    Recommendations,
    read_listed,
)
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.storage.shard import Shard
from projectors.verification.snapshot import paused

_SAMPLE = 1000
"""Lists: some 3 s of one core."""
_SAMPLE_AGAIN = 200
"""Of those, lists that are asked for again: what they are made of stands still for that long."""
_PATIENCE_SECONDS = 30.0
"""So long without one that could be compared; a worker that is far behind builds seldom."""
HOLD_SECONDS = 1.5
"""A builder looks at its market again after a second; then some lists take some tenths of one."""
SHORT_HOLD_SECONDS = 0.5
"""Where lists are made again at once."""
_LONGEST_HOLD_SECONDS = 4.0
"""On a machine on which nothing comes of shorter ones."""
_LAPSE_SECONDS = 10
_REST_SECONDS = 1.0
_POLL_SECONDS = 0.05
_READ_AT_ONCE = 100
_AGAIN_AT_ONCE = 20
"""What is asked for again is made before it is said how far lists are, so readers wait for it."""
_WHOLE = 100  # shares have two digits
_COMMANDS = 8

Again: TypeAlias = Callable[[Shard, Sequence[str], Market], None]
"""Has the lists of some users of a shard made again, of the market that is there now."""


class _Shown(msgspec.Struct):
    id: int
    score: float
    reasons: tuple[Reason, ...]


class _Page(msgspec.Struct):
    items: list[_Shown]


_page = msgspec.json.Decoder(_Page)


class Found(NamedTuple):
    """What there is of someone, all of one moment."""

    said: Said
    listed: Listed | None
    page: bytes | None
    is_due: bool
    """Whether their list is still to be made."""


class Check:
    """One look at all lists of a generation."""

    def __init__(
        self,
        recommendations: Recommendations,
        sources: Sources,
        now: datetime,
        again: Again,
        *,
        hold_seconds: float,
    ) -> None:
        self._model = recommendations
        self._sources = sources
        self._now = now
        self._day = now.date().isoformat()
        self._again = again
        self._hold_seconds = hold_seconds
        self._market: Market | None = None
        self._market_of: object = None
        self._problems: dict[str, str] = {}
        self.sample = ""
        """Which lists were made anew, in words, if not all."""

    def run(self) -> list[str]:
        """What is wrong, or can't be known, a line each."""
        people = [NOBODY, *sorted(self._model.people())]
        due = _patiently(self._look_through(people), self._look_again)
        is_out = self._problems.keys() | due
        fit = [user for user in people if user not in is_out]
        chosen = self._draw(fit, _SAMPLE)
        moved = self._compare(chosen)
        asked = self._draw(moved, _SAMPLE_AGAIN)
        left = _patiently(asked, self._compare_standing_still)
        made = len(chosen) - len(moved) + len(asked)
        if made < len(fit):
            self.sample = f"{made:,} of {len(fit):,} lists made anew, by the lot of {self._day}"
        return [
            *(f"{user}: {problem}" for user, problem in sorted(self._problems.items())),
            *_hindered(due, "still to be made"),
            *_hindered(left, "made of something else than is there now, and not made again"),
        ]

    def _draw(self, users: Sequence[str], most: int) -> Sequence[str]:
        """All of them; of too many some, by a lot that is the same all day. Nobody's is in both."""
        others = [user for user in users if user != NOBODY]
        if len(others) <= most:
            return users
        some = Random(self._day).sample(others, most)  # noqa: S311 - no secret: it is told
        return [*(user for user in users if user == NOBODY), *some]

    # ------------------------------------------------------------------------------ all lists

    def _look_through(self, users: Sequence[str]) -> Sequence[str]:
        """Keep what is wrong; answers whose lists are still to be made."""
        due = []
        for user, found in self._find(users):
            if found.is_due:
                due.append(user)
            elif problem := next(_wrong(user, found), None):
                self._problems[user] = problem
        return due

    def _look_again(self, users: Sequence[str]) -> Sequence[str]:
        """The same of those whose lists were still to be made."""
        due = self._due(users)
        return [*due, *self._look_through([user for user in users if user not in due])]

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

    def _find(self, users: Iterable[str]) -> Iterator[tuple[str, Found]]:
        for shard, of_shard in self._by_shard(users).items():
            rest = iter(of_shard)
            while some := list(islice(rest, _READ_AT_ONCE)):
                yield from self._read(shard, some)

    def _by_shard(self, users: Iterable[str]) -> Mapping[Shard, Sequence[str]]:
        found: dict[Shard, list[str]] = {}
        for user in users:
            shard = self._model.shard(0) if user == NOBODY else self._model.shard_of(user)
            found.setdefault(shard, []).append(user)
        return found

    def _read(self, shard: Shard, users: Sequence[str]) -> Iterator[tuple[str, Found]]:
        with self._model.redis.pipeline(transaction=True) as pipe:
            for user in users:
                ask_said(pipe, shard, user)
                pipe.get(shard.derived("list", user))
                pipe.get(shard.derived("page", user))
                pipe.hexists(shard.derived("dirty"), user)
                pipe.exists(shard.derived("whole"))
            answers = iter(pipe.execute())
        for user in users:
            *said, packed, page, is_marked, is_whole = islice(answers, _COMMANDS)
            listed = read_listed(packed) if packed else None
            yield user, Found(said_of(*said), listed, page, bool(is_marked) or not is_whole)

    # ------------------------------------------------------------------------------ made anew

    def _compare_standing_still(self, users: Sequence[str]) -> Sequence[str]:
        """The same, some at a time, while the market does not move; then it may for a while."""
        left = users
        with paused(self._sources.shards, seconds=_LAPSE_SECONDS):
            until = monotonic() + self._hold_seconds
            # Made anew with each look at the market: then all that is made is of what is there now.
            is_seen = not self._wait_for([NOBODY], until)
            while is_seen and left and monotonic() < until:
                some, rest = left[:_AGAIN_AT_ONCE], left[_AGAIN_AT_ONCE:]
                left = [*rest, *self._wait_for(some, until)]  # last: it holds up nobody else
        if len(left) == len(users):
            self._hold_seconds = min(2 * self._hold_seconds, _LONGEST_HOLD_SECONDS)
        if left:
            sleep(_REST_SECONDS)
        return left

    def _wait_for(self, users: Sequence[str], until: float) -> Sequence[str]:
        left = users
        while (left := self._compare(left)) and monotonic() < until:
            self._ask_for(left)
            sleep(_POLL_SECONDS)
        return left

    def _ask_for(self, users: Iterable[str]) -> None:
        market = self._look_at_market()
        for shard, of_shard in self._by_shard(users).items():
            self._again(shard, of_shard, market)

    def _compare(self, users: Iterable[str]) -> list[str]:
        """Keep which lists are wrong; answers those that were made of something else."""
        market, left = self._look_at_market(), []
        for user, found in self._find(users):
            if found.is_due:
                left.append(user)
            elif problem := next(_wrong(user, found), None):
                self._problems[user] = problem
            elif found.listed is not None:
                glance = Glance(market)
                items = recommended(found.said, glance)
                if items == found.listed.items:
                    continue
                if found.listed.market == glance.stamp:
                    self._problems[user] = _unlike(found.listed.items, items)
                else:
                    left.append(user)
        return left

    def _look_at_market(self) -> Market:
        version = self._sources.version()
        if self._market is None or version != self._market_of:
            self._market, self._market_of = Market(self._sources, self._now), version
        return self._market


def _wrong(user: str, found: Found) -> Iterator[str]:
    """What is wrong with a list, whatever the market was."""
    said, listed, page, _ = found
    if user != NOBODY and said == NOTHING:
        if listed is not None or page is not None:
            yield "has a list, and said nothing"
        return
    if listed is None:
        yield "has no list"
        return
    yield from _within(said, listed, page)


def _within(said: Said, listed: Listed, page: bytes | None) -> Iterator[str]:
    items = listed.items
    if seen := sorted(said.seen.intersection(item.movie for item in items)):
        yield f"has rated, kept or hidden what is recommended: {seen}"
    if any(sum(round(100 * reason.share) for reason in item.reasons) > _WHOLE for item in items):
        yield "has reasons for more than the whole"
    if list(items) != sorted(items, key=lambda item: (-item.score, item.movie)):
        yield "has a list out of order"
    if not _is_page_of(page, items):
        yield "has a first page that is not that of the list"
    if listed.seal:
        if listed.words != said.words:
            yield "has a list that was made of something else than they said"
        if page is not None and listed.seal != seal_of(listed, page):
            yield "has a list or a page that is not as it was made"


def _unlike(there: Sequence[Item], wanted: Sequence[Item]) -> str:
    for place, item in enumerate(wanted):
        if place >= len(there) or there[place] != item:
            found = there[place].movie if place < len(there) else "nothing"
            return (
                f"has a list that is not what is recommended: {found} in place {place + 1},"
                f" which is that of {item.movie}"
            )
    return f"has a list with {len(there) - len(wanted)} more than is recommended"


def _patiently(
    users: Sequence[str], go_on: Callable[[Sequence[str]], Sequence[str]]
) -> Sequence[str]:
    """Go on as long as they get fewer; answers who is left."""
    left, deadline = users, monotonic() + _PATIENCE_SECONDS
    while left and monotonic() < deadline:
        sleep(_POLL_SECONDS)
        before, left = len(left), go_on(left)
        if len(left) < before:
            deadline = monotonic() + _PATIENCE_SECONDS
    return left


def _hindered(users: Sequence[str], what: str) -> Iterator[str]:
    if users:
        more = f" and {len(users) - 1:,} more" if len(users) > 1 else ""
        yield (
            f"could not be compared: the list of {users[0]}{more}, {what} (is a projector running?)"
        )


def _is_page_of(page: bytes | None, items: Sequence[Item]) -> bool:
    """But for movies that had no card any more when it was made: the seal says which those were."""
    if page is None:
        return False
    shown = [(item.id, item.score, item.reasons) for item in _page.decode(page).items]
    there = {movie for movie, *_ in shown}
    first = [item for item in items[:DEFAULT_LIMIT] if item.movie in there]
    return shown == [(item.movie, item.score, item.reasons) for item in first]
