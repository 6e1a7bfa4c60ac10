"""Read model of suggestions: the most popular titles for a typed prefix.

State: a hash with every movie's title, year and prominence, one with its rating count, and one with
withdrawn movies. Derived (builder.py): a hash of prefixes with the ten most popular movies of each.
For a prefix with at most ten movies no longer prefixes are stored: they are filtered from its list.
The same hash has the entries of the spelling index (spelling.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, zip_longest
from typing import ClassVar

import msgspec
from redis import Redis

from events.recorded import Recorded
from infra.redis_pipeline import ReadCommands
from projectors.read_models.suggestions.projection import (
    RankedSuggestion,
    Suggestion,
    suggestion_changes,
)
from projectors.read_models.suggestions.query_normalisation import cached_forms, matches, prefixes
from projectors.read_models.suggestions.spelling import entries_for, spellings, unpack
from projectors.storage import replies
from projectors.storage import withdrawn as withdrawn_marks
from projectors.storage.read_model import ReadModel, Weight
from projectors.storage.shard import Shard, Write

LIST_SIZE = 10
"""How many are suggested."""

_encode = msgspec.json.Encoder().encode
_ranked = msgspec.json.Decoder(RankedSuggestion)
_suggestions = msgspec.json.Decoder(list[Suggestion])


class Suggestions(ReadModel):
    name: ClassVar[str] = "suggestions"
    version: ClassVar[int] = 3
    by_partition: ClassVar[bool] = False
    kept_after_erasure: ClassVar[str] = "their scores, in sums"
    builder_path: ClassVar[str] = "projectors.read_models.suggestions.builder.SuggestionsBuilder"
    weight: ClassVar[Weight] = "heavy"

    def __init__(self, redis: Redis, generation: int) -> None:
        super().__init__(redis, generation)
        self.lists_key = self.all.derived("lists")
        self._titles_key = self.all.state("titles")
        self._people_key = self.all.state("people")

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """Sums of zero are written too: a batch's size must not show."""
        for movie, change in suggestion_changes([recorded.event for recorded in batch]).items():
            if change.rating_count_delta is not None:
                yield "HINCRBY", shard.state("people"), movie, change.rating_count_delta
                yield "SADD", shard.derived("dirty", "people"), movie
            if change.suggestion is not None:
                yield "HSET", shard.state("titles"), movie, _encode(change.suggestion).decode()
            if change.is_listed is not None:
                yield withdrawn_marks.write(shard, movie, is_listed=change.is_listed)
            if change.suggestion is not None or change.is_listed is not None:
                yield "SADD", shard.derived("dirty", "titles"), movie

    # ------------------------------------------------------------------------------ reads

    def enqueue(self, pipe: ReadCommands, text: str) -> None:
        """Enqueue the read of the values for a typed text: see ``read_suggestions``."""
        pipe.hmget(self.lists_key, [*prefixes(text), *entries_for(text)] or [""])

    def read_suggestions(self, text: str, values: Sequence[bytes | None]) -> list[Suggestion]:
        """The most popular movies that match; if there are none, those that match with one typo.

        ``values``: the lists of the text's prefixes, and the entries of its spelling.
        """
        if not text:
            return []
        lists, entries = values[: len(text)], values[len(text) :]
        return list(_matching(text, lists)) or self._with_one_typo(text, lists, entries)

    def _with_one_typo(
        self, text: str, lists: Sequence[bytes | None], entries: Sequence[bytes | None]
    ) -> list[Suggestion]:
        """The most popular of each spelling, then the second of each, in one more round trip."""
        titles = (form for fitting in _longest(lists) for form in cached_forms(fitting.title))
        others = spellings(text, titles, chain.from_iterable(map(unpack, entries)))
        wanted = list(dict.fromkeys(prefix for other in others for prefix in prefixes(other)))
        if not wanted:
            return []
        found = dict(zip(wanted, replies.hmget(self.redis, self.lists_key, wanted), strict=True))
        matching = (
            _matching(other, [found[prefix] for prefix in prefixes(other)]) for other in others
        )
        in_turn = chain.from_iterable(zip_longest(*matching))
        return list({each.id: each for each in in_turn if each is not None}.values())[:LIST_SIZE]

    # ------------------------------------------------------------------------------ state

    def all_titles(self) -> Iterator[RankedSuggestion]:
        """Every available movie; one that changes meanwhile may come twice."""
        for _, title in withdrawn_marks.scan_listed(self.redis, self.all, self._titles_key):
            yield _ranked.decode(title)

    def titles_of(self, movies: Sequence[int]) -> list[RankedSuggestion]:
        """Titles of these movies, without unknown and withdrawn ones."""
        packed = withdrawn_marks.read_listed(self.redis, self.all, self._titles_key, movies)
        return [_ranked.decode(title) for title in packed.values()]

    def all_rating_counts(self) -> dict[int, int]:
        counts = replies.hgetall(self.redis, self._people_key)
        return {int(movie): int(count) for movie, count in counts.items()}

    def rating_counts_of(self, movies: Sequence[int]) -> dict[int, int]:
        counts = replies.hmget_by_number(self.redis, self._people_key, movies)
        return {movie: int(counts.get(movie, 0)) for movie in movies}


def pack_list(suggestions: Sequence[RankedSuggestion]) -> bytes:
    """The list as it is answered."""
    return _encode([suggestion.shown() for suggestion in suggestions])


def _matching(text: str, lists: Sequence[bytes | None]) -> Sequence[Suggestion]:
    """The movies that match, from the list of the longest prefix that has one."""
    suggestions = _longest(lists)
    if lists[-1] is not None:
        return suggestions
    return [suggestion for suggestion in suggestions if matches(suggestion.title, text)]


def _longest(lists: Sequence[bytes | None]) -> Sequence[Suggestion]:
    """The list of the longest prefix that has one."""
    packed = next((packed for packed in reversed(lists) if packed is not None), None)
    return () if packed is None else _unpack_list(packed)


@lru_cache(maxsize=1000)
def _unpack_list(longest: bytes) -> tuple[Suggestion, ...]:
    return tuple(_suggestions.decode(longest))
