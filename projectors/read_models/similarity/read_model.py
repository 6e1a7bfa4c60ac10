"""Read model of similarity: neighbours of each movie.

State: for each movie a set of the users who like it, and a hash with every movie's year and genres.
Derived (builder.py): a neighbour list for each liked movie; for movies without likes, one list for
each combination of year and genres, because nothing else tells them apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, cast

import msgspec
from redis import Redis

from events.recorded import Recorded
from infra.redis_pipeline import ReadCommands
from projectors.read_models.similarity.neighbour import Neighbour
from projectors.read_models.similarity.projection import ContentFeatures, LikeChange, like_changes
from projectors.storage import replies
from projectors.storage.read_model import ReadModel, Weight
from projectors.storage.shard import Shard, Write

_AT_ONCE = 500

_encode = msgspec.json.Encoder().encode
_facts = msgspec.json.Decoder(ContentFeatures)
_list = msgspec.msgpack.Decoder(list[Neighbour])


class Similarity(ReadModel):
    name: ClassVar[str] = "similarity"
    version: ClassVar[int] = 1
    by_partition: ClassVar[bool] = False
    kept_after_erasure: ClassVar[str] = "what they liked, under an id that leads to nobody"
    builder_path: ClassVar[str] = "projectors.read_models.similarity.builder.SimilarityBuilder"
    weight: ClassVar[Weight] = "heaviest"

    def __init__(self, redis: Redis, generation: int) -> None:
        super().__init__(redis, generation)
        self.facts_key = self.all.state("facts")
        self.lists_key = self.all.derived("lists")
        self.alike_key = self.all.derived("alike")

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        for movie, change in like_changes([recorded.event for recorded in batch]).items():
            yield from _like_writes(shard.state("likes", movie), change)
            if change.likes:
                yield "SADD", shard.derived("dirty", "likes"), movie
            if change.facts is not None:
                yield "HSET", shard.state("facts"), movie, encode_features(change.facts).decode()
                yield "SADD", shard.derived("dirty", "facts"), movie

    # ------------------------------------------------------------------------------ reads

    def enqueue_neighbours(self, pipe: ReadCommands, movie: int) -> None:
        """Enqueue the two reads of a movie's neighbours: see ``read_neighbours``."""
        pipe.hget(self.lists_key, str(movie))
        pipe.hget(self.facts_key, str(movie))

    def read_neighbours(
        self, movie: int, results: Sequence[bytes | None]
    ) -> list[Neighbour] | None:
        """Decode the neighbours from the two replies; None if the movie is not known."""
        own, facts = results
        if facts is None:
            return None
        if own is not None:
            return _list.decode(own)
        alike = replies.hget(self.redis, self.alike_key, facts.decode())
        neighbours = [] if alike is None else _list.decode(alike)
        return [neighbour for neighbour in neighbours if neighbour.movie != movie]

    def neighbours_of(self, movies: Sequence[int]) -> dict[int, list[Neighbour]]:
        """The neighbours of these movies; movies without likes are left out."""
        lists = replies.hmget_by_number(self.redis, self.lists_key, movies)
        return {movie: _list.decode(packed) for movie, packed in lists.items()}

    # ------------------------------------------------------------------------------ state

    def all_features(self) -> Iterator[tuple[int, ContentFeatures]]:
        """Features of every movie; one that changes meanwhile may come twice."""
        for movie, facts in self.redis.hscan_iter(self.facts_key, count=1000):
            yield int(movie), _facts.decode(facts)

    def features_of(self, movies: Sequence[int]) -> dict[int, ContentFeatures]:
        packed = replies.hmget_by_number(self.redis, self.facts_key, movies)
        return {movie: _facts.decode(facts) for movie, facts in packed.items()}

    def liked_movies(self) -> list[int]:
        """Every movie with likes, from one scan of Redis."""
        prefix = self.all.state("likes", "")
        keys = self.redis.scan_iter(match=f"{prefix}*", count=1000)
        return sorted({int(key.decode().removeprefix(prefix)) for key in keys})

    def likers_of(self, movies: Sequence[int]) -> dict[int, set[bytes]]:
        likers: list[set[bytes]] = []
        for at in range(0, len(movies), _AT_ONCE):
            with self.redis.pipeline(transaction=False) as pipe:
                for movie in movies[at : at + _AT_ONCE]:
                    pipe.smembers(self.all.state("likes", movie))
                likers += cast("list[set[bytes]]", pipe.execute())
        return {movie: set(users) for movie, users in zip(movies, likers, strict=True)}


def encode_features(facts: ContentFeatures) -> bytes:
    """Encode as stored; the bytes are also the key of the feature group's list."""
    return _encode(facts)


def _like_writes(key: str, change: LikeChange) -> Iterator[Write]:
    for command, is_liked in (("SADD", True), ("SREM", False)):
        users = [user for user, likes in change.likes.items() if likes is is_liked]
        for at in range(0, len(users), _AT_ONCE):
            yield (command, key, *users[at : at + _AT_ONCE])
