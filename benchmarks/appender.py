"""One appending process of the append benchmark; started by benchmarks.append."""

import os
import sys
import time
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
django.setup()

from events.catalogue import MovieRated  # noqa: E402 - Django first
from events.recorded import Origin, Stream  # noqa: E402 - Django first
from events.store.postgres import PostgresStore  # noqa: E402 - Django first
from infra.config import config  # noqa: E402 - Django first


def main(seconds: float) -> None:
    """Append ratings one by one, each to a new stream, until time is up; print their number."""
    store = PostgresStore(config().partitions)
    store.heads()
    print("ready", flush=True)
    sys.stdin.readline()
    deadline = time.monotonic() + seconds
    appended = 0
    while time.monotonic() < deadline:
        user = uuid4()
        store.append(
            Stream(f"rating-{user}-{appended}", str(user)),
            [MovieRated(user_id=user, movie_id=appended, score=8)],
            expected=0,
            origin=Origin(correlation_id=uuid4()),
        )
        appended += 1
    print(appended, flush=True)


main(float(sys.argv[1]))
