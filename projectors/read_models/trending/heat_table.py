"""Heat table: ratings by movie and hour in memory, and the heats computed from them.

A movie's heat is always summed from all its hours, so it does not depend on the order in which its
ratings came.
"""

from collections.abc import Iterable, Mapping

from projectors.read_models.trending.decay import LONGEST_HOURS, WINDOWS, WindowName, heat
from projectors.read_models.trending.read_model import Trending

# Up to this many counts are read one by one; for more, whole hours are.
_FEW = 2000


class HeatTable:
    """Each movie's ratings in the longest window, and its heat in each window."""

    def __init__(self, trending: Trending, hour: int) -> None:
        self._trending = trending
        self._ratings: dict[int, dict[int, int]] = {}
        self.hour = hour
        self.of: dict[WindowName, dict[int, float]] = {window: {} for window in WINDOWS}
        self._set_counts(trending.ratings_in(_window(hour)))
        self._recompute(self._ratings)

    def can_go_to(self, hour: int) -> bool:
        return 0 <= hour - self.hour < LONGEST_HOURS

    def go_to(self, hour: int) -> None:
        """Advance to a later hour."""
        self._set_counts(self._trending.ratings_in(_window(hour)[-(hour - self.hour) :]))
        self.hour = hour
        self._forget_before(hour - LONGEST_HOURS + 1)
        self._recompute(self._ratings)

    def read(self, movies: Iterable[int], hours: Iterable[int]) -> None:
        """Read the counts of touched movies in touched hours."""
        touched = sorted(movies)
        within = sorted(set(hours) & set(_window(self.hour)))
        if len(touched) * len(within) <= _FEW:
            self._set_counts(self._trending.ratings_of(touched, within))
        else:
            self._set_counts(self._trending.ratings_in(within))
        self._recompute(touched)

    def _set_counts(self, counts_by_hour: Mapping[int, Mapping[int, int]]) -> None:
        for hour, counts in counts_by_hour.items():
            for movie, count in counts.items():
                self._ratings.setdefault(movie, {})[hour] = count

    def _forget_before(self, first: int) -> None:
        for ratings in self._ratings.values():
            for expired in [hour for hour in ratings if hour < first]:
                del ratings[expired]

    def _recompute(self, movies: Iterable[int]) -> None:
        for movie in movies:
            ratings = self._ratings.get(movie, {})
            for name, window in WINDOWS.items():
                self.of[name][movie] = heat(ratings, hour=self.hour, window=window)


def _window(hour: int) -> range:
    return range(hour - LONGEST_HOURS + 1, hour + 1)
