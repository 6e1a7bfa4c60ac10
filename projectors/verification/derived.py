"""Compares derived data with its state while events arrive; nothing is paused.

An event that is applied between two reads looks like a difference. So the comparison is repeated
once everything that it may have read is built: what differs by the same values again, differs; what
is equal once, is right.
"""

from collections.abc import Callable, Mapping
from time import monotonic, sleep
from typing import TypeAlias, TypeVar

from events.notifications import waiting_readers_channel
from projectors.storage import replies
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import read_offsets

Differences: TypeAlias = Mapping[str, object]
"""A line for each element that differs -> both its values."""

Key = TypeVar("Key", int, str, bytes)
Value = TypeVar("Value")

_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.05


def compare(
    model: ReadModel,
    find_differences: Callable[[], Differences],
    *,
    beside: ReadModel | None = None,
    has_seen_all: Callable[[], bool] = lambda: True,
) -> list[str]:
    """Compare what a worker builds from a model, and from another one ``beside`` it.

    ``has_seen_all``: whether the builder has read changes of the other that offsets don't show.
    Each model has one shard. Returns a line for each difference, or one with the reason why there
    is no result.
    """
    models = [model, beside] if beside else [model]
    return settle(find_differences, lambda: _wait_until_built(model, models, has_seen_all))


def unequal(
    stored: Mapping[Key, Value], expected: Mapping[Key, Value]
) -> dict[Key, tuple[Value | None, Value | None]]:
    """The keys whose values differ, or that only one has, with both values."""
    keys = sorted(stored.keys() | expected.keys())
    pairs = ((key, (stored.get(key), expected.get(key))) for key in keys)
    return {key: pair for key, pair in pairs if pair[0] != pair[1]}


def settle(
    find_differences: Callable[[], Differences], wait_until_built: Callable[[], bool]
) -> list[str]:
    """Compare until each element was equal once, or one differed by the same values twice.

    ``wait_until_built`` waits until all that was applied before is built; False: it is not.
    """
    deadline = monotonic() + _PATIENCE_SECONDS
    before: Differences = {}
    unproven: set[str] | None = None
    while wait_until_built():
        differences = find_differences()
        if real := [line for line, values in differences.items() if before.get(line) == values]:
            return real
        unproven = set(differences) if unproven is None else unproven & differences.keys()
        if not unproven:
            return []
        # One comparison may take longer than that, and only a second one tells what is real.
        if before and monotonic() > deadline:
            return ["could not be compared: events keep coming"]
        before = differences
    return ["could not be compared: derived data is still being built"]


def _wait_until_built(
    model: ReadModel, models: list[ReadModel], has_seen_all: Callable[[], bool]
) -> bool:
    deadline = monotonic() + _PATIENCE_SECONDS
    applied = [each.shard(0).checkpoints() for each in models]
    while True:
        built = read_offsets(replies.hgetall(model.redis, model.shard(0).built_key))
        is_built = all(built.get(p, 0) >= at for offsets in applied for p, at in offsets.items())
        if is_built and has_seen_all():
            return True
        if monotonic() > deadline:
            return False
        model.redis.publish(waiting_readers_channel(), model.name)
        sleep(_POLL_SECONDS)
