"""AMQP topology: names of exchange, queues and routing keys, and the queues' arguments."""

from collections.abc import Iterator, Mapping

import pika

GROUPS = 8
"""Queues of one subscriber; the partitions are distributed over them."""

_HEARTBEAT_SECONDS = 20

QUEUE_ARGUMENTS: Mapping[str, str | int | bool] = {
    "x-queue-type": "quorum",
    "x-single-active-consumer": True,  # or two workers would split a partition and lose its order
    # Drop what is not consumed: a lost message costs a read of the log, a full disk the broker.
    "x-max-length": 10_000,
    "x-overflow": "drop-head",
    "x-expires": 10 * 60 * 1000,
}


def exchange(namespace: str) -> str:
    """The exchange of all events."""
    return f"{namespace}.events"


def queue(namespace: str, name: str, group: int) -> str:
    """A subscriber's queue for one group of partitions."""
    return f"{namespace}.{name}.{group}"


def routing_key(partition: int | str, type_: str) -> str:
    """The routing key, as ``7.movie-rated.v1``."""
    return f"{partition}.{type_}"


def bindings(group: int, partitions: int) -> Iterator[str]:
    """The binding keys of one group; all types, or offsets would not be dense."""
    return (f"{partition}.#" for partition in range(group, partitions, GROUPS))


def parameters(bus_url: str) -> pika.URLParameters:
    """Connection parameters with one attempt: callers retry, and read the log meanwhile."""
    result = pika.URLParameters(bus_url)
    result.connection_attempts = 1
    result.retry_delay = 0
    if result.heartbeat is None:
        result.heartbeat = _HEARTBEAT_SECONDS  # to notice a broker whose machine is gone
    return result
