"""Read model of suggestions: the most popular titles for a typed prefix.

State: a hash with every movie's title and year, one with its rating count, and one with withdrawn
movies. Derived (builder.py): a hash of prefixes with the ten most popular movies of each. For a
prefix with at most ten movies no longer prefixes are stored: theirs are filtered from its ten.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import ClassVar

import msgspec
from redis import Redis

from events.recorded import Recorded
from infra.redis_pipeline import ReadCommands
from projectors.read_models.suggestions.projection import Suggestion, suggestion_changes
from projectors.read_models.suggestions.query_normalisation import matches, prefixes, typo_variants
from projectors.storage import replies
from projectors.storage import withdrawn as withdrawn_marks
from projectors.storage.read_model import ReadModel, Weight
from projectors.storage.shard import Shard, Write

LIST_SIZE = 10
"""How many are suggested."""

_encode = msgspec.json.Encoder().encode
_suggestion = msgspec.json.Decoder(Suggestion)
_suggestions = msgspec.json.Decoder(list[Suggestion])


class Suggestions(ReadModel):
    name: ClassVar[str] = "suggestions"
    version: ClassVar[int] = 2
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
        """Enqueue the read of the lists for a typed text: see ``read_suggestions``."""
        pipe.hmget(self.lists_key, prefixes(text) or [""])

    def read_suggestions(self, text: str, lists: Sequence[bytes | None]) -> list[Suggestion]:
        """The most popular movies that match; if there are none, those that match with one typo."""
        if not text:
            return []
        return _matching(text, lists) or self._with_one_typo(text)

    def _with_one_typo(self, text: str) -> list[Suggestion]:
        variants = list(typo_variants(text))
        if not variants:
            return []
        wanted = list(dict.fromkeys(prefix for variant in variants for prefix in prefixes(variant)))
        lists = dict(zip(wanted, replies.hmget(self.redis, self.lists_key, wanted), strict=True))
        suggested: dict[int, Suggestion] = {}
        for variant in variants:
            for suggestion in _matching(variant, [lists[prefix] for prefix in prefixes(variant)]):
                suggested[suggestion.id] = suggestion
        return self._most_popular(list(suggested.values()))

    def _most_popular(self, suggestions: Sequence[Suggestion]) -> list[Suggestion]:
        counts = self.rating_counts_of([suggestion.id for suggestion in suggestions])
        return sorted(
            suggestions,
            key=lambda suggestion: (-counts[suggestion.id], -(suggestion.year or 0), suggestion.id),
        )[:LIST_SIZE]

    # ------------------------------------------------------------------------------ state

    def all_titles(self) -> Iterator[Suggestion]:
        """Every available movie; one that changes meanwhile may come twice."""
        for _, title in withdrawn_marks.scan_listed(self.redis, self.all, self._titles_key):
            yield _suggestion.decode(title)

    def titles_of(self, movies: Sequence[int]) -> list[Suggestion]:
        """Titles of these movies, without unknown and withdrawn ones."""
        packed = withdrawn_marks.read_listed(self.redis, self.all, self._titles_key, movies)
        return [_suggestion.decode(title) for title in packed.values()]

    def all_rating_counts(self) -> dict[int, int]:
        counts = replies.hgetall(self.redis, self._people_key)
        return {int(movie): int(count) for movie, count in counts.items()}

    def rating_counts_of(self, movies: Sequence[int]) -> dict[int, int]:
        counts = replies.hmget_by_number(self.redis, self._people_key, movies)
        return {movie: int(counts.get(movie, 0)) for movie in movies}


def pack_list(suggestions: Sequence[Suggestion]) -> bytes:
    return _encode(suggestions)


def _matching(text: str, lists: Sequence[bytes | None]) -> list[Suggestion]:
    """The movies that match, from the list of the longest prefix that has one."""
    longest = next((packed for packed in reversed(lists) if packed is not None), None)
    if longest is None:
        return []
    suggestions = _unpack_list(longest)
    if lists[-1] is not None:
        return list(suggestions)
    return [suggestion for suggestion in suggestions if matches(suggestion.title, text)]


@lru_cache(maxsize=1000)
def _unpack_list(longest: bytes) -> tuple[Suggestion, ...]:
    return tuple(_suggestions.decode(longest))
