"""Read model of trending: boards of each window and genre.

State: for each hour a hash with each movie's new ratings, the number of ratings of each movie, and
the last observation of each external board. Derived (builder.py): a hash with the boards, one with
their first pages, ready to be sent; the same two for external boards (external_boards.py); and the
catalogue version whose cards the pages show.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
from redis import Redis

from events.recorded import Recorded
from infra.redis_pipeline import ReadCommands
from projectors.read_models.trending.board import TrendingBoard
from projectors.read_models.trending.decay import WindowName
from projectors.read_models.trending.projection import BoardObservation, heat_changes, observations
from projectors.storage import replies
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write

COMMUNITY = "community"

_board = msgspec.msgpack.Decoder(TrendingBoard)
_observation = msgspec.json.Decoder(BoardObservation)
_encode = msgspec.json.Encoder().encode
_NO_BOARD = TrendingBoard(hour=0, as_of=datetime.fromtimestamp(0, UTC))


class Trending(ReadModel):
    name: ClassVar[str] = "trending"
    version: ClassVar[int] = 1
    by_partition: ClassVar[bool] = False
    kept_after_erasure: ClassVar[str] = "their scores, in sums"
    builder_path: ClassVar[str] = "projectors.read_models.trending.builder.TrendingBuilder"
    sources: ClassVar[tuple[str, ...]] = ("movies",)

    def __init__(self, redis: Redis, generation: int) -> None:
        super().__init__(redis, generation)
        self.boards_key = self.all.derived("boards")
        self.pages_key = self.all.derived("pages")
        self.observed_boards_key = self.all.derived("observed", "boards")
        self.observed_pages_key = self.all.derived("observed", "pages")
        self.shown_catalogue_version_key = self.all.derived("movies")
        self._observed_key = self.all.state("observed")

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """Sums of zero are written too: a batch's size must not show."""
        change = heat_changes(batch)
        totals: dict[int, int] = {}
        for (hour, movie), amount in change.ratings.items():
            yield "HINCRBY", shard.state("hour", hour), movie, amount
            totals[movie] = totals.get(movie, 0) + amount
        for movie, amount in totals.items():
            yield "ZINCRBY", shard.state("popular"), amount, movie
        for hour in {hour for hour, _ in change.ratings}:
            yield "SADD", shard.derived("dirty", "hours"), hour
        for movie in change.movies:
            yield "SADD", shard.derived("dirty", "movies"), movie
        for board, observation in observations(batch).items():
            yield "HSET", shard.state("observed"), board, _encode(observation).decode()

    # ------------------------------------------------------------------------------ reads

    def enqueue_page(
        self,
        pipe: ReadCommands,
        window: WindowName,
        genre: str | None = None,
        source: str = COMMUNITY,
    ) -> None:
        """Enqueue the read of a board's default page; the reply is None if there is no board."""
        key = self.pages_key if source == COMMUNITY else self.observed_pages_key
        pipe.hget(key, board_name(window, genre, source))

    def board(
        self, window: WindowName, genre: str | None = None, source: str = COMMUNITY
    ) -> TrendingBoard:
        """A board; an empty one if nothing of the genre is hot."""
        key = self.boards_key if source == COMMUNITY else self.observed_boards_key
        of_genre, overall = replies.hmget(
            self.redis, key, [board_name(window, genre, source), board_name(window, None, source)]
        )
        if of_genre is not None:
            return _board.decode(of_genre)
        if overall is not None:
            whole = _board.decode(overall)
            return TrendingBoard(hour=whole.hour, as_of=whole.as_of)
        return _NO_BOARD

    def boards(self) -> dict[str, TrendingBoard]:
        """All boards of the community, by ``board_name``."""
        return _decoded(replies.hgetall(self.redis, self.boards_key))

    def boards_and_pages(self) -> tuple[dict[str, TrendingBoard], dict[str, bytes]]:
        """All boards of the community and their first pages, in one transaction."""
        return self._stored(self.boards_key, self.pages_key)

    def observed_boards_and_pages(self) -> tuple[dict[str, TrendingBoard], dict[str, bytes]]:
        """All boards of other sources and their first pages, in one transaction."""
        return self._stored(self.observed_boards_key, self.observed_pages_key)

    def observations(self) -> dict[str, BoardObservation]:
        """The last observation of each external board, by its name."""
        return {
            board.decode(): _observation.decode(packed)
            for board, packed in replies.hgetall(self.redis, self._observed_key).items()
        }

    def shown_catalogue_version(self) -> int:
        """The catalogue version of the cards that the first pages show."""
        return int(replies.get(self.redis, self.shown_catalogue_version_key) or 0)

    def most_rated(self, limit: int) -> list[tuple[int, int]]:
        """The movies that most people have rated, ever, and by how many."""
        ranking = replies.ranking(self.redis, self.all.state("popular"), limit)
        return [(int(movie), int(people)) for movie, people in ranking if people > 0]

    def ratings_in(self, hours: Sequence[int]) -> dict[int, dict[int, int]]:
        """Hour -> movie -> new ratings in it."""
        with self.redis.pipeline(transaction=False) as pipe:
            for hour in hours:
                pipe.hgetall(self.all.state("hour", hour))
            hashes = pipe.execute()
        return {
            hour: {int(movie): int(count) for movie, count in counts.items()}
            for hour, counts in zip(hours, hashes, strict=True)
        }

    def ratings_of(self, movies: Sequence[int], hours: Sequence[int]) -> dict[int, dict[int, int]]:
        """Hour -> movie -> new ratings in it, of these movies."""
        with self.redis.pipeline(transaction=False) as pipe:
            for hour in hours:
                pipe.hmget(self.all.state("hour", hour), list(map(str, movies)))
            counts_by_hour = pipe.execute()
        return {
            hour: {movie: int(count or 0) for movie, count in zip(movies, counts, strict=True)}
            for hour, counts in zip(hours, counts_by_hour, strict=True)
        }

    def _stored(self, *keys: str) -> tuple[dict[str, TrendingBoard], dict[str, bytes]]:
        with self.redis.pipeline(transaction=True) as pipe:
            for key in keys:
                pipe.hgetall(key)
            boards, pages = pipe.execute()
        return _decoded(boards), {name.decode(): page for name, page in pages.items()}


def _decoded(boards: Mapping[bytes, bytes]) -> dict[str, TrendingBoard]:
    return {name.decode(): _board.decode(packed) for name, packed in boards.items()}


def board_name(window: WindowName, genre: str | None, source: str = COMMUNITY) -> str:
    """Name of a board, also its field in the hashes; without a genre, that of all movies."""
    whose = "" if source == COMMUNITY else f"{source}|"
    return f"{whose}{window}|{genre or ''}"


def parse_board_name(name: str) -> tuple[WindowName, str | None]:
    """Window and genre of a board's name."""
    window, _, genre = name.partition("|")
    return ("day" if window == "day" else "week"), genre or None
