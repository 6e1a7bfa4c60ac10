"""Catch-up: one page of the log, decoded once, for all followers that are behind."""

from collections.abc import Sequence

import msgspec

from events.store import EventStore
from projectors.consumer.follower import PAGE, Follower
from projectors.errors import StopProjector


def read_page(
    store: EventStore, partition: int, followers: Sequence[Follower], *, until: int | None = None
) -> int:
    """Hand the next page of a partition to all followers, up to offset ``until``.

    Returns the number of events; raises StopProjector for one that can't be decoded.
    """
    after = min(follower.checkpoints[partition] for follower in followers)
    limit = PAGE if until is None else min(PAGE, max(0, until - after))
    try:
        page = store.page(partition, after=after, limit=limit) if limit else ()
    except msgspec.ValidationError as error:
        raise StopProjector(
            f"Cannot decode an event of partition {partition} after offset {after}: {error}."
            " Run ./manage.py events verify"
        ) from error
    for follower in followers:
        if len(page) < PAGE:
            follower.behind.discard(partition)
        if page and follower.checkpoints[partition] < page[-1].offset:
            follower.process(page)
    return len(page)
