"""Resemblance of a file's ratings to those of a data set in the log: the same people, or others.

The same people gave the same scores at the same times. The times may differ by one amount, by which
an earlier import shifted them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeAlias

UserRatings: TypeAlias = Mapping[int, Collection[tuple[int, int]]]
"""A user's scores and their times, in seconds since 1970, by movie."""

_PROOF = 20
"""So many ratings with different times that are off by one amount prove an unknown shift."""
_MOST_CHANGES = 10
"""Changes of one score that are compared, each with each; data sets have one or two."""


class UserPair(NamedTuple):
    """What users of one number rated: in the file, and in the log."""

    in_file: UserRatings
    in_log: UserRatings


class Resemblance(NamedTuple):
    known: int
    """Users of the file with ratings in the log."""
    possible: int
    """Their ratings that would be equal if the longer list continued the shorter."""
    equal: int
    """Those that are: in score and, after the shift, time."""
    shift_seconds: int
    is_superseded: bool
    """Whether each of their ratings in the log has one in the file that is not older."""

    @property
    def is_same(self) -> bool:
        return 0 < self.possible <= 2 * self.equal

    @property
    def known_shift(self) -> int | None:
        """The shift, if there are ratings that tell it."""
        return self.shift_seconds if self.equal else None


def compare(users: Iterable[UserPair], shifts: Collection[int]) -> Resemblance:
    """Compare the users' ratings; ``shifts`` are the amounts of earlier imports."""
    known = [user for user in users if user.in_log]
    equal, shift_seconds = _equal_ratings(known, {0, *shifts})
    return Resemblance(
        known=len(known),
        possible=sum(min(len(user.in_file), len(user.in_log)) for user in known),
        equal=equal,
        shift_seconds=shift_seconds,
        is_superseded=all(_is_superseded(user, shift_seconds) for user in known),
    )


def _equal_ratings(users: Sequence[UserPair], shifts: Collection[int]) -> tuple[int, int]:
    """The most ratings that are equal after one shift, and this shift."""
    times: dict[int, list[int]] = defaultdict(list)
    for user in users:
        for movie in user.in_file.keys() & user.in_log.keys():
            for shift, at in _differences(user.in_file[movie], user.in_log[movie]).items():
                times[shift].append(at)
    counts = {
        shift: len(equal)
        for shift, equal in times.items()
        if shift in shifts or len(set(equal)) >= _PROOF
    }
    shift = max(counts, key=lambda shift: (counts[shift], -abs(shift)), default=0)
    return counts.get(shift, 0), shift


def _differences(
    in_file: Collection[tuple[int, int]], in_log: Collection[tuple[int, int]]
) -> dict[int, int]:
    """Time in the file by how much later the log has the same score of the movie."""
    return {
        logged_at - at: at
        for score, at in _last_changes(in_file)
        for logged, logged_at in _last_changes(in_log)
        if score == logged
    }


def _last_changes(scores: Collection[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """The last scores that differ from the one before: the log has no others."""
    in_time = sorted(scores, key=itemgetter(1))
    return [next(same) for _, same in groupby(in_time, key=itemgetter(0))][-_MOST_CHANGES:]


def _is_superseded(user: UserPair, shift_seconds: int) -> bool:
    return all(
        movie in user.in_file and _last_at(user.in_file[movie]) + shift_seconds >= _last_at(logged)
        for movie, logged in user.in_log.items()
    )


def _last_at(scores: Collection[tuple[int, int]]) -> int:
    return max(at for _, at in scores)
