"""What does search keep, and what does it answer?

State, in Redis: details, votes and sum of scores by movie, and by movie a revision that counts the
events that touched it. Derived: the documents in the index, which the flusher makes of what is
marked dirty.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import ClassVar, NamedTuple

import msgspec
from redis import Redis

from events.recorded import Recorded
from projectors.read_model import ReadModel
from projectors.search import engines
from projectors.search.engine import Engine
from projectors.search.projection import Details, document, touches
from projectors.search.query import Hits, SearchQuery
from projectors.shard import Shard, Write

_encoder = msgspec.json.Encoder()
_details: msgspec.json.Decoder[Details] = msgspec.json.Decoder(Details)


class Source(NamedTuple):
    """What the state says of one movie at one moment; without details it is not known yet."""

    movie: int
    revision: int
    details: Details | None
    votes: int
    total: int

    def document(self) -> dict[str, object] | None:
        """The document it should have in the index."""
        if self.details is None:
            return None
        return document(self.movie, self.details, votes=self.votes, total=self.total)


class Search(ReadModel):
    """Movies found by what someone typed."""

    name: ClassVar[str] = "search"
    version: ClassVar[int] = 2
    by_partition: ClassVar[bool] = False

    def __init__(self, redis: Redis, generation: int, *, index: Engine | None = None) -> None:
        super().__init__(redis, generation)
        self._index = index
        self.all = self.shard(0)

    @cached_property
    def index(self) -> Engine:
        """The index of this generation."""
        return self._index or engines.of_generation(self.generation)

    def search(self, asked: SearchQuery) -> Hits:
        """The movies that fit, best first; raises IndexAway."""
        return self.index.search(asked)

    def count(self) -> int:
        """How many movies can be found."""
        return self.index.count()

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """See ReadModel. Nothing is left out for being zero: a batch's size must not show."""
        touched = touches([recorded.event for recorded in batch])
        for movie, touch in touched.items():
            if touch.details is not None:
                yield "HSET", shard.state("movies"), movie, _encoder.encode(touch.details).decode()
            if touch.rated:
                yield "HINCRBY", shard.state("votes"), movie, touch.votes
                yield "HINCRBY", shard.state("sums"), movie, touch.total
            yield "HINCRBY", shard.state("revisions"), movie, touch.events
            yield "SADD", shard.derived("dirty"), movie

    def sources(self, movies: Sequence[int]) -> list[Source]:
        """What the state says of some movies, all of it at one moment."""
        if not movies:
            return []
        with self.redis.pipeline(transaction=True) as pipe:
            for key in ("movies", "revisions", "votes", "sums"):
                pipe.hmget(self.all.state(key), list(map(str, movies)))
            rows = zip(movies, *pipe.execute(), strict=True)
        return [
            Source(
                movie=movie,
                revision=int(revision or 0),
                details=None if details is None else _details.decode(details),
                votes=int(votes or 0),
                total=int(total or 0),
            )
            for movie, details, revision, votes, total in rows
        ]

    def known(self) -> list[int]:
        """The movies that have details."""
        return sorted(map(int, self.redis.hkeys(self.all.state("movies"))))
