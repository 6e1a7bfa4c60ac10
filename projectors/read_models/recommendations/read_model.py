"""Read model of recommendations: each user's taste and list.

State: hashes for each user with their ratings (``history``: movie -> ``score:milliseconds``), and
with their ``favourites`` and ``hidden`` movies (movie -> milliseconds); and one with all users'
preferences. Marks: user -> offset of the last event that touched them. Derived (builder.py): a list
and its first page for each user with any such event, and one of each for all others (cold start).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from events.recorded import Recorded, partition_of
from infra.config import config
from infra.redis_pipeline import ReadCommands
from projectors.read_models.recommendations.page import RecommendedMovie
from projectors.read_models.recommendations.projection import KINDS, taste_changes
from projectors.storage import replies
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write, hash_writes

COLD_START = "nobody"
"""The name of the list for users without any events."""


class RecommendationList(msgspec.Struct, frozen=True, array_like=True):
    """A user's recommended movies, best first, as of a moment."""

    made_at: datetime
    items: tuple[RecommendedMovie, ...] = ()


encode_list = msgspec.msgpack.Encoder().encode
"""Encodes a list to be stored."""
decode_list = msgspec.msgpack.Decoder(RecommendationList).decode
"""Decodes a stored list; older ones have three more elements, which it ignores."""


class Recommendations(ReadModel):
    name: ClassVar[str] = "recommendations"
    version: ClassVar[int] = 2
    by_partition: ClassVar[bool] = True
    purges_erased_users: ClassVar[bool] = True
    builder_path: ClassVar[str] = (
        "projectors.read_models.recommendations.builder.RecommendationsBuilder"
    )
    sources: ClassVar[tuple[str, ...]] = ("trending", "movies", "similarity")
    builds_by_partition: ClassVar[bool] = True

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        for user, change in taste_changes(batch).items():
            if change.is_reset:
                yield ("DEL", *(shard.state(kind, user) for kind in KINDS))
                yield "HDEL", shard.state("preferences"), user
                # A list built at this moment is rebuilt because of the mark below.
                yield "DEL", shard.derived("list", user), shard.derived("page", user)
                yield "ZREM", shard.derived("made"), user
            for kind, movies in change.movies.items():
                yield from hash_writes(shard.state(kind, user), movies)
            if change.preferences is not None:
                yield "HSET", shard.state("preferences"), user, change.preferences
            yield "HSET", shard.derived("dirty"), user, change.offset

    def unmark_writes(self, shard: Shard, user: str) -> Iterable[Write]:
        yield "HDEL", shard.derived("dirty"), user

    # ------------------------------------------------------------------------------ reads

    def enqueue_page(self, pipe: ReadCommands, user: UUID | str) -> None:
        """Enqueue the two reads of a user's default page: see ``read_page``."""
        pipe.get(self.shard_of(user).derived("page", str(user)))
        pipe.get(self.shard(0).derived("page", COLD_START))

    @staticmethod
    def read_page(results: Sequence[bytes | None]) -> bytes | None:
        """The page from the two replies; that of cold start if the user has none."""
        own, cold_start = results
        return cold_start if own is None else own

    def enqueue_items(self, pipe: ReadCommands, user: UUID | str) -> None:
        """Enqueue the two reads of a user's whole list: see ``read_items``."""
        pipe.get(self.shard_of(user).derived("list", str(user)))
        pipe.get(self.shard(0).derived("list", COLD_START))

    @staticmethod
    def read_items(results: Sequence[bytes | None]) -> tuple[RecommendedMovie, ...]:
        """The list from the two replies, best first; that of cold start if the user has none."""
        own, cold_start = results
        encoded = own or cold_start
        return decode_list(encoded).items if encoded else ()

    def users_with_taste(self) -> Iterator[tuple[str, str]]:
        """Users with ratings, favourites or hidden movies, with their shard's tag; some repeat."""
        pattern = f"{{{self.name}.{self.generation}.*}}:state:*:*"
        for key in self.redis.scan_iter(match=pattern, count=1000):
            tag, _, _, user = key.decode().rsplit(":", 3)
            yield tag, user

    def people(self) -> set[str]:
        """Users with any stored data: a taste or a list."""
        users = {user for _, user in self.users_with_taste()}
        pattern = f"{{{self.name}.{self.generation}.*}}:derived:*:*"
        for key in self.redis.scan_iter(match=pattern, count=1000):
            users.add(key.decode().rpartition(":")[2])
        for partition in range(config().partitions):
            users.update(self.users_with_preferences(self.shard(partition)))
        return users - {COLD_START}

    def users_with_preferences(self, shard: Shard) -> set[str]:
        return {user.decode() for user in replies.hgetall(self.redis, shard.state("preferences"))}

    def shard_of(self, user: UUID | str) -> Shard:
        return self.shard(partition_of(str(user), config().partitions))
