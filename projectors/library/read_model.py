"""What is kept of what a user rated, and in which order can it be had?

State: a hash a user, movie -> ``score:milliseconds``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal, TypeAlias
from uuid import UUID

from redis.client import Pipeline

from events.partition import partition_of
from events.recorded import Recorded
from infra.config import config
from projectors import answers
from projectors.library.projection import Rating, changes, unpacked
from projectors.own import last_values
from projectors.read_model import ReadModel
from projectors.shard import Shard, Write

Sort: TypeAlias = Literal["new", "score"]


class Library(ReadModel):
    """What belongs to each user."""

    name: ClassVar[str] = "library"
    version: ClassVar[int] = 1
    by_partition: ClassVar[bool] = True

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """See ReadModel."""
        for user, ratings in changes(batch).items():
            yield from last_values(shard.state("ratings", user), ratings)

    def ratings(self, user: UUID | str, sort: Sort = "new") -> list[Rating]:
        """A user's ratings, the newest first, or the highest score first and then the newest."""
        return read_ratings(answers.hgetall(self.redis, self._ratings_key(user)), sort)

    def enqueue_ratings(self, pipe: Pipeline, user: UUID | str) -> None:
        """Ask for a user's ratings in a pipeline; ``read_ratings`` makes them of the result."""
        pipe.hgetall(self._ratings_key(user))

    def rating(self, user: UUID | str, movie: int) -> Rating | None:
        """What a user thinks of a movie."""
        found = answers.hget(self.redis, self._ratings_key(user), str(movie))
        return None if found is None else unpacked(movie, found)

    def _ratings_key(self, user: UUID | str) -> str:
        shard = self.shard(partition_of(str(user), config().partitions))
        return shard.state("ratings", str(user))


def read_ratings(result: Mapping[bytes, bytes], sort: Sort = "new") -> list[Rating]:
    """The ratings that were asked for in a pipeline."""
    ratings = [unpacked(int(movie), rating) for movie, rating in result.items()]
    match sort:
        case "new":
            return sorted(ratings, key=lambda r: (r.at, r.movie), reverse=True)
        case "score":
            return sorted(ratings, key=lambda r: (r.score, r.at, r.movie), reverse=True)
