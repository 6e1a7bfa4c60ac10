"""What is the exchange called, what are the queues, and which queue gets which partition?"""

from collections.abc import Iterator, Mapping

import pika

GROUPS = 8
"""Queues of one subscriber: the partitions are dealt out to them."""

_HEARTBEAT_SECONDS = 20

QUEUE_ARGUMENTS: Mapping[str, str | int | bool] = {
    "x-queue-type": "quorum",
    "x-single-active-consumer": True,  # or two workers would split a partition and lose its order
    # What nobody takes is dropped: a lost hint costs a read of the log, a full disk the broker.
    "x-max-length": 10_000,
    "x-overflow": "drop-head",
    "x-expires": 10 * 60 * 1000,
}


def exchange(namespace: str) -> str:
    """The exchange that everything is published to."""
    return f"{namespace}.events"


def queue(namespace: str, name: str, group: int) -> str:
    """A subscriber's queue for one group of partitions."""
    return f"{namespace}.{name}.{group}"


def routing_key(partition: int | str, type_: str) -> str:
    """What others bind to: ``7.movie-rated.v1``."""
    return f"{partition}.{type_}"


def bindings(group: int, partitions: int) -> Iterator[str]:
    """The keys of one group; every type, or its offsets would not be dense."""
    return (f"{partition}.#" for partition in range(group, partitions, GROUPS))


def parameters(bus_url: str) -> pika.URLParameters:
    """How to connect: once, for trying again is up to those who know what to do meanwhile."""
    found = pika.URLParameters(bus_url)
    found.connection_attempts = 1
    found.retry_delay = 0
    if found.heartbeat is None:
        found.heartbeat = _HEARTBEAT_SECONDS  # a broker whose machine is gone says no goodbye
    return found
