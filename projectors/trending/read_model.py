"""What is kept of what people act on, and what can be asked about it?

State: a hash an hour with each movie's new ratings, and how many rated each movie in all. Derived
(builder.py): one hash with the boards, one with their first pages, ready to be sent.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
from redis import Redis
from redis.client import Pipeline

from events.recorded import Recorded
from projectors import answers
from projectors.read_model import ReadModel
from projectors.shard import Shard, Write
from projectors.trending.board import Board
from projectors.trending.decay import WindowName
from projectors.trending.projection import changes

_board = msgspec.msgpack.Decoder(Board)
_NO_BOARD = Board(hour=0, as_of=datetime.fromtimestamp(0, UTC))


class Trending(ReadModel):
    """What people act on, by movie and hour."""

    name: ClassVar[str] = "trending"
    version: ClassVar[int] = 1
    by_partition: ClassVar[bool] = False

    def __init__(self, redis: Redis, generation: int) -> None:
        super().__init__(redis, generation)
        self.all = self.shard(0)
        self.boards_key = self.all.derived("boards")
        self.pages_key = self.all.derived("pages")

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """See ReadModel. Sums of zero are written too: a batch's size must not show."""
        change = changes(batch)
        in_all: dict[int, int] = {}
        for (hour, movie), amount in change.ratings.items():
            yield "HINCRBY", shard.state("hour", hour), movie, amount
            in_all[movie] = in_all.get(movie, 0) + amount
        for movie, amount in in_all.items():
            yield "ZINCRBY", shard.state("popular"), amount, movie
        for hour in {hour for hour, _ in change.ratings}:
            yield "SADD", shard.derived("dirty", "hours"), hour
        for movie in change.movies:
            yield "SADD", shard.derived("dirty", "movies"), movie

    # ------------------------------------------------------------------------------ reads

    def enqueue_page(self, pipe: Pipeline, window: WindowName, genre: str | None = None) -> None:
        """Ask in a pipeline for a board's default page: its bytes, or None if there is no board."""
        pipe.hget(self.pages_key, field(window, genre))

    def page(self, window: WindowName, genre: str | None = None) -> bytes | None:
        """A board's default page, complete; None if there is no such board."""
        return answers.hget(self.redis, self.pages_key, field(window, genre))

    def board(self, window: WindowName, genre: str | None = None) -> Board:
        """A board; an empty one if nothing of the genre is hot."""
        of_genre, overall = answers.hmget(
            self.redis, self.boards_key, [field(window, genre), field(window, None)]
        )
        if of_genre is not None:
            return _board.decode(of_genre)
        if overall is not None:
            whole = _board.decode(overall)
            return Board(hour=whole.hour, as_of=whole.as_of)
        return _NO_BOARD

    def boards(self) -> dict[str, Board]:
        """All boards, by ``field``."""
        return {
            name.decode(): _board.decode(packed)
            for name, packed in answers.hgetall(self.redis, self.boards_key).items()
        }

    def most_rated(self, limit: int) -> list[tuple[int, int]]:
        """The movies that most people have rated, ever, and by how many."""
        found = answers.ranking(self.redis, self.all.state("popular"), limit)
        return [(int(movie), int(people)) for movie, people in found if people > 0]

    def ratings_in(self, hours: Sequence[int]) -> dict[int, dict[int, int]]:
        """Hour -> movie -> new ratings in it."""
        with self.redis.pipeline(transaction=False) as pipe:
            for hour in hours:
                pipe.hgetall(self.all.state("hour", hour))
            found = pipe.execute()
        return {
            hour: {int(movie): int(count) for movie, count in counts.items()}
            for hour, counts in zip(hours, found, strict=True)
        }

    def ratings_of(self, movies: Sequence[int], hours: Sequence[int]) -> dict[int, dict[int, int]]:
        """Hour -> movie -> new ratings in it, of these movies."""
        with self.redis.pipeline(transaction=False) as pipe:
            for hour in hours:
                pipe.hmget(self.all.state("hour", hour), list(map(str, movies)))
            found = pipe.execute()
        return {
            hour: {movie: int(count or 0) for movie, count in zip(movies, counts, strict=True)}
            for hour, counts in zip(hours, found, strict=True)
        }


def field(window: WindowName, genre: str | None) -> str:
    """The name of a board; without a genre, that of all movies."""
    return f"{window}|{genre or ''}"


def of_field(name: str) -> tuple[WindowName, str | None]:
    """The window and the genre of a board's name."""
    window, _, genre = name.partition("|")
    return ("day" if window == "day" else "week"), genre or None
