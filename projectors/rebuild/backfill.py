"""Backfill: fills the state of new generations from the log.

Each process has partitions of its own. It reads a page, decodes it once and lets each generation
apply it, exactly as a worker does. A process that was killed resumes at the checkpoints.
"""

from collections.abc import Mapping, Sequence
from time import sleep

from django.db import close_old_connections

from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.consumer.decryption import decryptor
from projectors.consumer.follower import Follower, read_page
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.rebuild.backpressure import Backpressure
from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel

_REST_SECONDS = 0.05


def fill(numbers: Mapping[str, int], partitions: Sequence[int], until: Sequence[int]) -> None:
    """Fill these partitions of generations. Raises StopProjector.

    ``until``: the last offset to fill of each partition, of all partitions.
    """
    store = PostgresStore(config().partitions)
    followers = [Follower(model, store, decryptor()) for model in open_generations(numbers)]
    backpressure = Backpressure(Live(clients.redis()), Pointers(clients.redis()))
    for follower in followers:
        follower.sync(until)
    while behind := [
        (partition, lagging)
        for partition in partitions
        if (lagging := [f for f in followers if f.checkpoints[partition] < until[partition]])
    ]:
        count = 0
        for partition, lagging in behind:
            if ready := [follower for follower in lagging if not follower.is_backing_off]:
                count += read_page(store, partition, ready, until=until[partition])
            backpressure.wait()
        if not count:
            sleep(_REST_SECONDS)
    close_old_connections()


def progress(models: Sequence[ReadModel], until: Sequence[int]) -> int:
    """How many events up to ``until`` the models have applied, added up."""
    return sum(
        min(at, end)
        for model in models
        for at, end in zip(model.checkpoints(len(until)), until, strict=True)
    )


def open_generations(numbers: Mapping[str, int]) -> list[ReadModel]:
    """Open the generations with these numbers, by model."""
    redis = clients.redis()
    return [kind(redis, numbers[kind.name]) for kind in MODELS if kind.name in numbers]
