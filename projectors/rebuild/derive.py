"""Derive: builds and checks the derived data of new generations.

Their state does not change meanwhile, so each builder is called until it has built everything.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic, sleep
from typing import cast

from django.db import close_old_connections

from infra import clients
from infra.config import config
from projectors.building.builder import Builder, ComparableBuilder, PartitionedBuilder
from projectors.errors import RetryLater
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.rebuild.backfill import open_generations
from projectors.rebuild.backpressure import Backpressure
from projectors.registry import MODELS, WITH_BUILDER, make_builder
from projectors.storage.read_model import ReadModel
from projectors.verification.derived import Differences, settle

_REST_SECONDS = 0.05
_PATIENCE_SECONDS = 60.0

_BUILT_FIRST = [each for each in WITH_BUILDER if not each.builds_by_partition]
SIDE_BY_SIDE = (
    *(frozenset((each.name,)) for each in _BUILT_FIRST if each.weight == "heaviest"),
    frozenset(each.name for each in _BUILT_FIRST if each.weight != "heaviest"),
)
"""Models that are built side by side: each of the heaviest alone, and all others in one process."""
BUILT_LAST = frozenset(each.name for each in MODELS if each.builds_by_partition)
"""Models that are built after those, by partition."""


def build(
    numbers: Mapping[str, int],
    names: Collection[str],
    partitions: Sequence[int],
    moment: datetime | None,
) -> None:
    """Build the models of these names for some partitions, as of a moment (None: now)."""
    backpressure = Backpressure(Live(clients.redis()), Pointers(clients.redis()))
    for model, builder in _builders(numbers, names):
        backpressure.wait()
        if isinstance(builder, PartitionedBuilder):
            builder.build_only(partitions)
        builder.build(moment or datetime.now(UTC))  # without events, too: an empty board is stored
        before, deadline = -1, 0.0
        while not _is_built(model, partitions):
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
            builder.build(moment or datetime.now(UTC))
    close_old_connections()


def _is_built(model: ReadModel, partitions: Sequence[int]) -> bool:
    count = config().partitions
    built, there = model.built_offsets(count), model.checkpoints(count)
    return all(built[partition] == there[partition] for partition in partitions)


def check(numbers: Mapping[str, int], moment: datetime | None) -> Iterator[tuple[str, list[str]]]:
    """Compare each model's derived data with its state; yields name and differences."""
    now = moment or datetime.now(UTC)
    for model, builder in _builders(numbers, numbers):
        if isinstance(builder, ComparableBuilder):
            find_differences = partial(_differences, numbers, model.name, now)
            yield model.name, settle(find_differences, lambda: True)
        else:
            yield model.name, builder.check(now)


def _differences(numbers: Mapping[str, int], name: str, now: datetime) -> Differences:
    """Build all once more, and compare.

    By a new builder: one that continues builds what events of its own model touched, and those of
    the live models it reads touch nothing here.
    """
    [(_, builder)] = _builders(numbers, {name})
    builder.build(now)
    return cast("ComparableBuilder", builder).differences()


def _builders(
    numbers: Mapping[str, int], names: Collection[str]
) -> Iterator[tuple[ReadModel, Builder]]:
    """Yield each model of these names that has derived data, and its builder."""
    models = {model.name: model for model in open_generations(numbers)}
    live = Live(clients.redis())

    def find(kind: type[ReadModel]) -> ReadModel:
        return models.get(kind.name) or live.open(kind)

    for name, model in models.items():
        if name in names and (builder := make_builder(model, find)):
            yield model, builder


def progress(models: Sequence[ReadModel], partitions: int) -> tuple[int, int]:
    """Up to how many events derived data is built, and how many the state has."""
    built = [model for model in models if type(model) in WITH_BUILDER]
    return (
        sum(sum(model.built_offsets(partitions)) for model in built),
        sum(sum(model.checkpoints(partitions)) for model in built),
    )
