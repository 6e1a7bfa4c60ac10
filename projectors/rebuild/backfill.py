"""Backfill: fills the state of new generations from the log.

Each process has partitions of its own. It reads a page, decodes it once and lets each generation
apply it, exactly as a worker does: a killed one resumes at the checkpoints.
"""

from collections.abc import Mapping, Sequence
from time import sleep

from django.db import close_old_connections

from events.store import EventStore
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.consumer.decryption import decryptor
from projectors.consumer.follower import Follower, read_page
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.rebuild.backpressure import Backpressure
from projectors.rebuild.task import BackfillTask
from projectors.registry import BY_NAME, MODELS
from projectors.storage.read_model import ReadModel

_REST_SECONDS = 0.05


def fill(task: BackfillTask) -> None:
    """Fill one task. Raises StopProjector."""
    redis = clients.redis()
    store = PostgresStore(config().partitions)
    models = [BY_NAME[name](redis, number) for name, number in task.generation_ids]
    followers = [Follower(model, store, decryptor()) for model in models]
    backpressure = Backpressure(Live(redis), Pointers(redis))
    for follower in followers:
        follower.sync(task.until)
    while behind := _behind(followers, task):
        if not _read_pages(store, followers, behind, task, backpressure):
            sleep(_REST_SECONDS)
    close_old_connections()


def _behind(followers: Sequence[Follower], task: BackfillTask) -> list[int]:
    return [
        partition
        for partition in task.partitions
        if any(follower.checkpoints[partition] < task.until[partition] for follower in followers)
    ]


def _read_pages(
    store: EventStore,
    followers: Sequence[Follower],
    partitions: Sequence[int],
    task: BackfillTask,
    backpressure: Backpressure,
) -> int:
    """Read a page of each partition; return the number of events."""
    count = 0
    for partition in partitions:
        until = task.until[partition]
        ready = [
            follower
            for follower in followers
            if follower.checkpoints[partition] < until and not follower.is_backing_off
        ]
        if ready:
            count += read_page(store, partition, ready, until=until)
        backpressure.wait()
    return count


def progress(models: Sequence[ReadModel], until: Sequence[int]) -> int:
    """How many events up to ``until`` the models have applied, added up."""
    return sum(
        min(at, end)
        for model in models
        for at, end in zip(model.checkpoints(len(until)), until, strict=True)
    )


def opened(numbers: Mapping[str, int]) -> list[ReadModel]:
    """Open the generations with these numbers, by model."""
    redis = clients.redis()
    return [kind(redis, numbers[kind.name]) for kind in MODELS if kind.name in numbers]
