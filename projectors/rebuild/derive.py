"""Derive: builds and checks the derived data of new generations.

Their state does not change meanwhile, so each builder is called until it has built everything.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic, sleep

from django.db import close_old_connections

from infra import clients
from infra.config import config
from projectors.building.builder import (
    Builder,
    ComparableBuilder,
    PartitionedBuilder,
    VerifiableBuilder,
)
from projectors.errors import RetryLater
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.rebuild.backfill import opened
from projectors.rebuild.backpressure import Backpressure
from projectors.rebuild.task import BuildTask
from projectors.registry import BUILT, MODELS, make_builder
from projectors.storage.read_model import ReadModel

_REST_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0
_TRIES = 100

_TOGETHER = [each for each in BUILT if not each.builds_by_partition]
SIDE_BY_SIDE = (
    *(frozenset((each.name,)) for each in _TOGETHER if each.weight == "heaviest"),
    frozenset(each.name for each in _TOGETHER if each.weight != "heaviest"),
)
"""Models that are built side by side: each of the heaviest alone, and all others in one process."""
LAST = frozenset(each.name for each in MODELS if each.builds_by_partition)
"""Models that are built after those, by partition."""


def build(numbers: Mapping[str, int], task: BuildTask) -> None:
    """Build the models of a task."""
    redis = clients.redis()
    backpressure = Backpressure(Live(redis), Pointers(redis))
    for model, builder, _ in _builders(numbers, task.names):
        backpressure.wait()
        if isinstance(builder, PartitionedBuilder):
            builder.build_only(task.partitions)
        builder.build(task.now)  # even without events: an empty board is stored, too
        _build_rest(model, builder, task, backpressure)
    close_old_connections()


def _build_rest(
    model: ReadModel, builder: Builder, task: BuildTask, backpressure: Backpressure
) -> None:
    """Build until everything is built. Raises RetryLater if it makes no progress."""
    before, deadline = -1, 0.0
    while not _is_built(model, task.partitions):
        done = sum(model.built_offsets(config().partitions))
        if done != before:
            before, deadline = done, monotonic() + _PATIENCE_SECONDS
        elif monotonic() > deadline:
            raise RetryLater(
                f"{model.name} cannot be built: the models it reads are behind it and do not"
                " catch up (is a projector running?)"
            )
        sleep(_REST_SECONDS if builder.interval_seconds else 0)
        backpressure.wait()
        builder.build(task.now)


def _is_built(model: ReadModel, partitions: Sequence[int]) -> bool:
    count = config().partitions
    built, there = model.built_offsets(count), model.checkpoints(count)
    return all(built[partition] == there[partition] for partition in partitions)


def check(
    numbers: Mapping[str, int], moment: datetime | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Compare each model's derived data with its state; yields name and differences."""
    now = moment or datetime.now(UTC)
    for model, builder, others in _builders(numbers, frozenset(numbers)):
        if isinstance(builder, VerifiableBuilder):
            yield model.name, _check(builder, others, now)


def _check(builder: VerifiableBuilder, others: Sequence[ReadModel], now: datetime) -> list[str]:
    """Compare derived data with the state; one line for each difference.

    A builder may read live models, which change meanwhile. So it builds again until they did not
    change during the comparison.
    """
    if not (others and isinstance(builder, ComparableBuilder)):
        return builder.check(now)
    shards = [shard for other in others for shard in other.shards(config().partitions)]
    for _ in range(_TRIES):
        before = [shard.checkpoints() for shard in shards]
        builder.build(now)
        found = builder.differences()
        if not found or before == [shard.checkpoints() for shard in shards]:
            return found
    return ["could not be compared: events keep coming"]


def _builders(
    numbers: Mapping[str, int], names: frozenset[str]
) -> Iterator[tuple[ReadModel, Builder, Sequence[ReadModel]]]:
    """Yield each model to build, its builder, and the live generations that the builder reads."""
    live = Live(clients.redis())
    there = {model.name: model for model in opened(numbers)}
    others: list[ReadModel] = []

    def find(kind: type[ReadModel]) -> ReadModel:
        if kind.name in there:
            return there[kind.name]
        opened_ = live.open(kind)
        others.append(opened_)
        return opened_

    for name, model in there.items():
        others.clear()
        if name in names and (builder := make_builder(model, find)):
            yield model, builder, list(others)


def progress(models: Sequence[ReadModel], partitions: int) -> tuple[int, int]:
    """Up to how many events derived data is built, and how many the state has."""
    built = total = 0
    for model in models:
        if type(model) in BUILT:
            built += sum(model.built_offsets(partitions))
            total += sum(model.checkpoints(partitions))
    return built, total
