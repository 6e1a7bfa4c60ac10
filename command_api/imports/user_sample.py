"""Sample of a file's users: some of those who have ratings in a data set of the log.

Of a release of 200,000 users and one of 600 only 600 numbers are in both, so users are looked up in
the log before they are sampled.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from zlib import crc32

from command_api.imports.movielens_reader import SourceRating
from command_api.imports.resemblance import UserPair, UserRatings

SAMPLE = 100
"""Users that are compared: as a rule they have 15,000 ratings."""


class UserSample:
    """All ratings of at most ``size`` users of the log: of those with the lowest checksums."""

    def __init__(
        self,
        movies: Mapping[int, int],
        in_log: Callable[[int], UserRatings],
        size: int = SAMPLE,
    ) -> None:
        """``movies``: by film number; ``in_log`` is empty for users without ratings there."""
        self._movies = movies
        self._in_log = in_log
        self._size = size
        self._pairs: dict[int, UserPair] = {}
        self._scores: dict[int, dict[int, list[tuple[int, int]]]] = {}
        self._unknown: set[int] = set()
        self._highest = 1 << 32

    @property
    def pairs(self) -> Collection[UserPair]:
        return self._pairs.values()

    def add(self, rating: SourceRating) -> None:
        """Add a rating if its user is in the sample, or comes into it."""
        if rating.user not in self._pairs:
            self._offer(rating.user)
        movie_id = self._movies.get(rating.film)
        if movie_id is not None and rating.user in self._pairs:
            self._scores[rating.user][movie_id].append((rating.score, rating.at))

    def _offer(self, user: int) -> None:
        if _checksum(user) >= self._highest or user in self._unknown:
            return
        if not (in_log := self._in_log(user)):
            self._unknown.add(user)
            return
        self._scores[user] = defaultdict(list)
        self._pairs[user] = UserPair(self._scores[user], in_log)
        if len(self._pairs) > self._size:
            last = max(self._pairs, key=_checksum)
            del self._pairs[last], self._scores[last]
        if len(self._pairs) == self._size:
            self._highest = max(map(_checksum, self._pairs))


def _checksum(user: int) -> int:
    return crc32(user.to_bytes(8))
