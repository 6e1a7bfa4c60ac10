"""Derive: builds and checks the derived data of new generations.

Their state does not move meanwhile, so each builder is called until it has built all of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TypeVar

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
from projectors.registry import BUILT, DEFINITIONS, make_builder
from projectors.storage.read_model import ReadModel

_REST_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0
_TRIES = 100

Model = TypeVar("Model", bound=ReadModel)

_TOGETHER = [each for each in DEFINITIONS if each.build and not each.builds_by_partition]
APART = (
    *(frozenset((each.name,)) for each in _TOGETHER if each.weight == "heaviest"),
    frozenset(each.name for each in _TOGETHER if each.weight != "heaviest"),
)
"""Models that are built side by side: each of the heaviest alone, and all others in one process."""
AFTER = frozenset(each.name for each in DEFINITIONS if each.builds_by_partition)
"""Models that are built after those, by partition."""


def build(numbers: Mapping[str, int], part: BuildTask) -> None:
    """Build all that there is of a part."""
    redis = clients.redis()
    courtesy = Backpressure(Live(redis), Pointers(redis))
    for model, builder, _ in _builders(numbers, part.names):
        courtesy.wait()
        if isinstance(builder, PartitionedBuilder):
            builder.build_only(part.partitions)
        builder.build(part.now)  # of nothing, too: an empty board is a board
        _go_on(model, builder, part, courtesy)
    close_old_connections()


def _go_on(model: ReadModel, builder: Builder, part: BuildTask, courtesy: Backpressure) -> None:
    """Build until there is no more to build; raises RetryLater when that does not come to be."""
    before, deadline = -1, 0.0
    while not _is_built(model, part.partitions):
        done = sum(model.built_offsets(config().partitions))
        if done != before:
            before, deadline = done, monotonic() + _PATIENCE_SECONDS
        elif monotonic() > deadline:
            raise RetryLater(
                f"{model.name} cannot be built: what it reads is behind it and does not catch up"
                " (is a projector running?)"
            )
        sleep(_REST_SECONDS if builder.interval_seconds else 0)
        courtesy.wait()
        builder.build(part.now)


def _is_built(model: ReadModel, partitions: Sequence[int]) -> bool:
    count = config().partitions
    built, there = model.built_offsets(count), model.checkpoints(count)
    return all(built[partition] == there[partition] for partition in partitions)


def check(
    numbers: Mapping[str, int], moment: datetime | None = None
) -> Iterator[tuple[str, list[str]]]:
    """How what was built of each model differs from what its state leads to, a line each."""
    now = moment or datetime.now(UTC)
    for model, builder, others in _builders(numbers, frozenset(numbers)):
        if isinstance(builder, VerifiableBuilder):
            yield model.name, _check(builder, others, now)


def _check(builder: VerifiableBuilder, others: Sequence[ReadModel], now: datetime) -> list[str]:
    """How derived data differs; models that answer and that it shows go on meanwhile.

    No worker builds the new generation yet, so it is built once more of what they hold now, until
    they did not move while it was compared.
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
    """Each model that is built, its builder, and the generations that answer which that reads."""
    live = Live(clients.redis())
    there = {model.name: model for model in opened(numbers)}
    others: list[ReadModel] = []

    def find(kind: type[Model]) -> Model:
        found = there.get(kind.name)
        if isinstance(found, kind):
            return found
        opened_ = live.open(kind)
        others.append(opened_)
        return opened_

    for name, model in there.items():
        others.clear()
        if name in names and (builder := make_builder(model, find, config().partitions)):
            yield model, builder, list(others)


def progress(models: Sequence[ReadModel], partitions: int) -> tuple[int, int]:
    """How many events what is built has taken in, of how many that the state has."""
    built = total = 0
    for model in models:
        if type(model) in BUILT:
            built += sum(model.built_offsets(partitions))
            total += sum(model.checkpoints(partitions))
    return built, total
