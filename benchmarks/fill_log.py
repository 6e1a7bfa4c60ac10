"""Fills an empty log with generated movies and ratings, faster than by commands.

Each event goes to its owner's partition, in order of time. Run as a program, it fills the log
of its environment.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
django.setup()

from benchmarks.generated_log import (  # noqa: E402 - Django first
    EVENTS,
    MOVIES,
    USERS,
    GeneratedRating,
    genres_of,
    ratings,
)
from events import codec  # noqa: E402 - Django first
from events.catalogue import AnyEvent, MovieAdded, MovieRated  # noqa: E402 - Django first
from events.recorded import (  # noqa: E402 - Django first
    Stored,
    partition_of,
)
from events.store.restore import RestorableStore  # noqa: E402 - Django first
from infra.config import config  # noqa: E402 - Django first

_BATCH = 5000
_REQUEST = UUID(int=0)
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def main() -> None:
    """Fill the log of the environment and report progress."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fill_log", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="ratings (%(default)s)")
    parser.add_argument("--users", type=int, default=USERS, help="users who rate (%(default)s)")
    parser.add_argument(
        "--movies", type=int, default=MOVIES, help="movies that are rated (%(default)s)"
    )
    arguments = parser.parse_args()
    by_user = ratings(arguments.events // arguments.users, arguments.users, arguments.movies)
    for count in fill(by_user, arguments.movies):
        sys.stderr.write(f"\r{count:,} events")
    sys.stderr.write("\n")


def fill(by_user: Iterable[Sequence[GeneratedRating]], movies: int) -> Iterator[int]:
    """Put movies and ratings into an empty log; yields the number of events after each batch."""
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
    for rated_by_user in by_user:
        for one in rated_by_user:
            rated = MovieRated(user_id=one.user, movie_id=one.movie, score=one.score)
            if count := put(str(one.user), f"rating-{one.user}-{one.movie}", rated, one.at):
                total += count
                yield total
    for partition in range(store.partitions):
        total += flush(partition)
    yield total


def _stored(partition: int, offset: int, stream: str, event: AnyEvent, at: datetime) -> Stored:
    type_, data = codec.encode(event)
    return Stored(
        partition=partition,
        offset=offset,
        stream=stream,
        version=1,
        type=type_,
        data=data,
        occurred_at=at,
        recorded_at=at,
        correlation_id=_REQUEST,
    )


if __name__ == "__main__":
    main()
