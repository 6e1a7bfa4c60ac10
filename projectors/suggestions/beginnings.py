"""Which are the most popular movies behind each beginning that is worth keeping?

All that titles may be typed as, in order: what has a beginning in common stands together.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from heapq import nsmallest

from projectors.suggestions.projection import Suggestion
from projectors.suggestions.read_model import MOST
from projectors.suggestions.typed import beginnings, prefixes

_BEHIND_ALL = "\U0010ffff"


class Beginnings:
    """The lists of all beginnings."""

    def __init__(self, titles: Iterable[Suggestion], people: Mapping[int, int]) -> None:
        self.titles = {title.id: title for title in titles}
        self._people = dict(people)
        self._typed = {movie: beginnings(title.title) for movie, title in self.titles.items()}
        self._ordered = sorted(
            (text, movie) for movie, texts in self._typed.items() for text in texts
        )
        self.lists: dict[str, list[int]] = {}
        self._make("", 0, len(self._ordered))

    def take(self, people: Mapping[int, int]) -> Collection[str]:
        """So many people rated these movies; answers which lists changed."""
        changed: set[str] = set()
        self._people |= people
        for movie in people:
            for text in self._typed.get(movie, ()):
                changed |= self._put(movie, text)
        return changed

    def suggestions(self, beginning: str) -> list[Suggestion]:
        """The list of a beginning."""
        return [self.titles[movie] for movie in self.lists[beginning]]

    def _make(self, beginning: str, start: int, end: int) -> None:
        """Make the lists of all longer beginnings of what stands between two places."""
        at = start
        while at < end:
            text, _ = self._ordered[at]
            if len(text) == len(beginning):
                at += 1
                continue
            longer = text[: len(beginning) + 1]
            behind = bisect_left(self._ordered, (longer + _BEHIND_ALL,), at, end)
            movies = {movie for _, movie in self._ordered[at:behind]}
            self.lists[longer] = self._best(movies)
            if len(movies) > MOST:
                self._make(longer, at, behind)
            at = behind

    def _put(self, movie: int, text: str) -> set[str]:
        """Put a movie where it belongs in the lists of a text's beginnings."""
        changed: set[str] = set()
        for beginning in prefixes(text):
            if (before := self.lists.get(beginning)) is None:
                break
            after = self._best({*before, movie})
            if movie in before and after[-1] == movie and len(before) == MOST:
                after = self._best(self._behind(beginning))  # another may come in for it
            if after != before:
                self.lists[beginning] = after
                changed.add(beginning)
        return changed

    def _behind(self, beginning: str) -> set[int]:
        start = bisect_left(self._ordered, (beginning,))
        end = bisect_left(self._ordered, (beginning + _BEHIND_ALL,), start)
        return {movie for _, movie in self._ordered[start:end]}

    def _best(self, movies: Collection[int]) -> list[int]:
        return nsmallest(MOST, movies, key=self._order)

    def _order(self, movie: int) -> tuple[int, int, int]:
        """The most popular first, then the newest."""
        return -self._people.get(movie, 0), -(self.titles[movie].year or 0), movie
