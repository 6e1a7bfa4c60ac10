"""Read model of search: the state that documents are made of, and searches of the index.

State, in Redis: details, extended details, votes and sum of scores by movie, withdrawn movies, and
by movie a revision that counts its events. Derived: the documents in the index, which the builder
makes for dirty movies, and the version that ends cached answers.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import ClassVar, NamedTuple

import msgspec
from redis import Redis

from events.recorded import Recorded
from projectors.read_models.search import engine_factory
from projectors.read_models.search.engine import SearchEngine
from projectors.read_models.search.projection import (
    NO_EXTENDED_DETAILS,
    ExtendedDetails,
    SearchableDetails,
    document,
    document_changes,
    tombstone,
)
from projectors.read_models.search.query import Hits, SearchQuery
from projectors.storage import withdrawn
from projectors.storage.read_model import ReadModel, Weight
from projectors.storage.shard import Shard, Write

_encoder = msgspec.json.Encoder()
_details: msgspec.json.Decoder[SearchableDetails] = msgspec.json.Decoder(SearchableDetails)
_long: msgspec.json.Decoder[ExtendedDetails] = msgspec.json.Decoder(ExtendedDetails)
NO_EXTENDED_DETAILS_JSON = _encoder.encode(NO_EXTENDED_DETAILS)


class DocumentSource(NamedTuple):
    """The state of one movie at one moment; without details it is not known yet."""

    movie: int
    revision: int
    details: SearchableDetails | None
    long: ExtendedDetails | None
    votes: int
    total: int
    is_listed: bool = True

    def document(self) -> dict[str, object] | None:
        """The document it should have in the index; None for an unknown movie."""
        if self.details is None:
            return None
        if not self.is_listed:
            return tombstone(self.movie)
        return document(self.movie, self.details, self.long, votes=self.votes, total=self.total)


class Search(ReadModel):
    name: ClassVar[str] = "search"
    version: ClassVar[int] = 5
    by_partition: ClassVar[bool] = False
    kept_after_erasure: ClassVar[str] = "their scores, in sums"
    builder_path: ClassVar[str] = "projectors.read_models.search.builder.SearchBuilder"
    weight: ClassVar[Weight] = "heavy"

    def __init__(self, redis: Redis, generation: int, *, index: SearchEngine | None = None) -> None:
        super().__init__(redis, generation)
        self._index = index
        self.filled_key = self.all.derived("filled")
        """Exists while the index has a document, perhaps an older one, of every known movie."""
        self.stamp_key = self.all.derived("stamp")
        """A random value, replaced whenever the results of searches may change."""
        self.index_key = self.all.derived("index")
        self.writes_key = self.all.derived("writes")
        self.dirty_key = self.all.derived("dirty")
        self.shown_key = self.all.derived("shown")
        """Hash of movie -> revision of its document, once all searches see that one."""

    @cached_property
    def index(self) -> SearchEngine:
        return self._index or engine_factory.engine_of(self.generation)

    def search(self, search_query: SearchQuery) -> Hits:
        """Return the matching movies, best first; raises IndexUnavailable."""
        return self.index.search(search_query)

    def extended_details(self, movie: int) -> bytes | None:
        """Extended details of a movie as JSON, from its document; None if there is none.

        Raises IndexUnavailable.
        """
        versioned = self.index.get([movie]).get(movie)
        if versioned is None:
            return None
        _, written = versioned
        stored = written.get("details")
        return NO_EXTENDED_DETAILS_JSON if stored is None else _encoder.encode(stored)

    def is_filled(self) -> bool:
        """Whether the index is complete; False while a lost one is rebuilt."""
        return bool(self.redis.exists(self.filled_key))

    def drop(self) -> int:
        removed = super().drop()
        self.index.drop()
        return removed

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """Sums of zero are written too: a batch's size must not show."""
        changes = document_changes([recorded.event for recorded in batch])
        for movie, change in changes.items():
            if change.details is not None:
                yield "HSET", shard.state("movies"), movie, _encoder.encode(change.details).decode()
            if change.long is not None:
                yield "HSET", shard.state("long"), movie, _encoder.encode(change.long).decode()
            if change.rated:
                yield "HINCRBY", shard.state("votes"), movie, change.votes
                yield "HINCRBY", shard.state("sums"), movie, change.total
            if change.is_listed is not None:
                yield withdrawn.write(shard, movie, is_listed=change.is_listed)
            yield "HINCRBY", shard.state("revisions"), movie, change.events
            yield "SADD", shard.derived("dirty"), movie

    def document_sources(self, movies: Sequence[int]) -> list[DocumentSource]:
        """The state of some movies, read at one moment."""
        if not movies:
            return []
        with self.redis.pipeline(transaction=True) as pipe:
            of_state = map(self.all.state, ("movies", "long", "revisions", "votes", "sums"))
            for key in (*of_state, withdrawn.key(self.all)):
                pipe.hmget(key, list(map(str, movies)))
            rows = zip(movies, *pipe.execute(), strict=True)
        return [
            DocumentSource(
                movie=movie,
                revision=int(revision or 0),
                details=None if details is None else _details.decode(details),
                long=None if long is None else _long.decode(long),
                votes=int(votes or 0),
                total=int(total or 0),
                is_listed=mark is None,
            )
            for movie, details, long, revision, votes, total, mark in rows
        ]

    def known_movies(self) -> list[int]:
        """Movies that have details, withdrawn ones too."""
        return sorted(map(int, self.redis.hkeys(self.all.state("movies"))))
