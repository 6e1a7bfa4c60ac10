"""Relay: broker that refuses, stops or is full."""

import pika
import pytest

from events.bus import topology
from tests.faults.relay.relay_setup import DurableQueue, Subscriber, append, cursors, heads
from tests.fixtures.waiting import until

NO_ROOM = "100000GB"
"""More free space than any disk here has, so that the disk alarm is raised."""


@pytest.fixture
def channel(bus_url):
    with pika.BlockingConnection(pika.URLParameters(bus_url)) as connection:
        yield connection.channel()


def test_relay_moves_on_when_no_queue_takes_its_messages(relays, bus_url, namespace):
    """Without queues the cursor moves on; later subscribers read the log."""
    relays.start(bus_url)
    append(3000)
    until(lambda: cursors() == heads())
    subscriber = Subscriber(bus_url, namespace)
    later = append(100)
    until(lambda: subscriber.has_received(later))
    assert set(subscriber.received) == set(later)
    subscriber.subscription.close()


def test_relay_resends_nacked_messages_in_order(relays, subscriber, bus_url, namespace, channel):
    """A full queue makes the broker nack the relay's messages."""
    other_queue = f"{namespace}.full"
    arguments = {"x-max-length": 10, "x-overflow": "reject-publish"}
    channel.queue_declare(other_queue, arguments=arguments)
    channel.queue_bind(other_queue, topology.exchange(namespace), "#")
    relays.start(bus_url)
    positions = append(2000)
    until(lambda: subscriber.has_received([min(positions)]))
    until(
        lambda: subscriber.listen() or subscriber.duplicates() > 0
    )  # the relay resent at least once
    assert cursors() != heads()
    channel.queue_delete(other_queue)
    until(lambda: subscriber.has_received(positions))
    subscriber.assert_in_order()
    until(lambda: cursors() == heads())


@pytest.mark.slow
def test_relay_loses_nothing_when_the_broker_is_killed(relays, broker, namespace):
    """Confirmed messages are on the broker's disk; the rest is sent after its restart."""
    queue = DurableQueue(broker.url, namespace)
    relays.start(broker.url)
    append(500)
    until(lambda: cursors() == heads())
    append(20_000)
    until(lambda: sum(cursors()) > 500)
    broker.kill()
    append(200)
    assert cursors() != heads()
    broker.start()
    until(lambda: cursors() == heads())
    append(10)
    until(lambda: cursors() == heads())
    queue.drain()
    queue.assert_in_order()
    assert queue.last_offsets() == {
        partition: head for partition, head in enumerate(heads()) if head
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alarm", "all_clear"),
    [
        (("set_disk_free_limit", NO_ROOM), ("set_disk_free_limit", "200MB")),
        (
            ("set_vm_memory_high_watermark", "absolute", "1MB"),
            ("set_vm_memory_high_watermark", "absolute", "2GB"),
        ),
    ],
    ids=["disk", "memory"],
)
def test_broker_alarm_stops_the_relay_and_no_writes(
    relays, broker_subscriber, broker, alarm, all_clear
):
    relay = relays.start(broker.url)
    first = append(500)
    until(lambda: broker_subscriber.has_received(first))
    broker.control(*alarm)
    try:
        until(lambda: "resource_limit" in broker.control("eval", "rabbit_alarm:get_alarms()."))
        second = append(5000)  # the log still accepts events
        until(lambda: relay.poll() is None and sum(heads()) == 5500)
        assert sum(cursors()) < 5500
    finally:
        broker.control(*all_clear)
    until(lambda: broker_subscriber.has_received(second))
    broker_subscriber.assert_in_order()
    until(lambda: cursors() == heads())
    assert relay.poll() is None
