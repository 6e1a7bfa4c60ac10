"""A process of threads that all append: ``python writer.py THREADS APPENDS OWNER...``"""

import sys
from threading import Thread
from uuid import UUID, uuid4

import django
from django.db import connections

django.setup()

from events.catalogue import MovieRated, RatingWithdrawn  # noqa: E402 - Django comes first
from events.recorded import Origin, Stream  # noqa: E402 - as above
from events.store.postgres import PostgresStore  # noqa: E402 - as above
from infra.config import config  # noqa: E402 - as above


def write(appends: int, owners: list[UUID]) -> None:
    store = PostgresStore(config().partitions)
    origin = Origin(correlation_id=uuid4())
    for nth in range(appends):
        user, movie = owners[nth % len(owners)], uuid4().int >> 80
        events = (
            MovieRated(user_id=user, movie_id=movie, score=7),
            RatingWithdrawn(user_id=user, movie_id=movie, previous=7),
        )
        stream = Stream(f"rating-{user}-{movie}", str(user))
        store.append(stream, events, expected=0, origin=origin)
    connections.close_all()


if __name__ == "__main__":
    threads, appends = int(sys.argv[1]), int(sys.argv[2])
    running = [
        Thread(target=write, args=(appends, [UUID(owner) for owner in sys.argv[3:]]))
        for _ in range(threads)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
