"""How does a made up log get into the database, faster than by commands?

The events are put where commands would have put them: each in its owner's partition, in the order
of time.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from benchmarks.generated_log import GeneratedRating, genres_of
from events import codec
from events.catalogue import AnyEvent, MovieAdded, MovieRated
from events.partition import partition_of
from events.recorded import Origin, Stored
from events.store.restore import RestorableStore
from infra.config import config

_BATCH = 5000
_ORIGIN = Origin(correlation_id=UUID(int=0))
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def fill(people: Iterable[Sequence[GeneratedRating]], movies: int) -> Iterator[int]:
    """Put movies and ratings into the empty log; tells how many events there are, now and then."""
    store = RestorableStore(config().partitions)
    heads = [0] * store.partitions
    waiting: list[list[Stored]] = [[] for _ in heads]
    total = 0

    def put(owner: str, stream: str, event: AnyEvent, at: datetime) -> int:
        partition = partition_of(owner, store.partitions)
        heads[partition] += 1
        batch = waiting[partition]
        batch.append(_stored(partition, heads[partition], stream, event, at))
        return flush(partition) if len(batch) == _BATCH else 0

    def flush(partition: int) -> int:
        batch, waiting[partition] = waiting[partition], []
        if batch:
            store.restore(batch)
        return len(batch)

    for movie in range(1, movies + 1):
        added = MovieAdded(
            movie_id=movie,
            title=f"Made Up Movie {movie}",
            year=1950 + movie % 70,
            genres=tuple(dict.fromkeys(genres_of(movie))),
        )
        put(str(movie), f"movie-{movie}", added, _LONG_AGO)
    for ratings in people:
        for one in ratings:
            rated = MovieRated(user_id=one.user, movie_id=one.movie, score=one.score)
            if count := put(str(one.user), f"rating-{one.user}-{one.movie}", rated, one.at):
                total += count
                yield total
    for partition in range(store.partitions):
        total += flush(partition)
    yield total


def _stored(partition: int, offset: int, stream: str, event: AnyEvent, at: datetime) -> Stored:
    return Stored(
        partition=partition,
        offset=offset,
        stream=stream,
        version=1,
        type=codec.type_of(event),
        data=codec.encode(event),
        occurred_at=at,
        recorded_at=at,
        origin=_ORIGIN,
    )
