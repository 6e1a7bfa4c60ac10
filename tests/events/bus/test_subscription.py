"""Subscription: delivery, acknowledgement, reconnection and pausing."""

from contextlib import contextmanager, suppress

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from events.bus import Publisher, Subscription, topology
from events.recorded import Position
from tests.fixtures.tcp_proxy import proxy_to
from tests.fixtures.waiting import until

PARTITIONS = 16


@contextmanager
def subscribed(url, namespace, partitions=PARTITIONS):
    subscription = Subscription(url, namespace, "test", partitions)
    try:
        yield subscription
    finally:
        subscription.close()


@contextmanager
def publishing(url, namespace):
    publisher = Publisher(url, namespace, window=100)

    def publish(partition: int, body: bytes) -> None:
        until(lambda: publisher.poll(0.1) == [] and publisher.capacity)
        publisher.publish(Position(partition, 1), "movie-rated.v1", body)
        until(lambda: publisher.poll(0.1) == [Position(partition, 1)])

    try:
        yield publish
    finally:
        publisher.close()


@contextmanager
def channel(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        yield connection.channel()


def bodies(subscription, count):
    """The bodies of the next ``count`` messages, acknowledged."""
    received: list[bytes] = []

    def has_all():
        deliveries = subscription.receive(count, 0.1)
        subscription.ack_through(deliveries)
        received.extend(delivery.body for delivery in deliveries)
        return len(received) >= count

    until(has_all)
    return received


@pytest.fixture
def proxy(bus_url):
    with proxy_to(bus_url) as proxy:
        yield proxy


@pytest.fixture
def subscription(proxy, namespace):
    with subscribed(proxy.url, namespace) as subscription:
        until(lambda: subscription.connected)
        yield subscription


@pytest.fixture
def publish(bus_url, namespace, subscription):
    with publishing(bus_url, namespace) as publish:
        yield publish


def test_subscription_receives_messages_of_every_partition(subscription, publish):
    for partition in range(PARTITIONS):
        publish(partition, str(partition).encode())
    assert sorted(map(int, bodies(subscription, PARTITIONS))) == list(range(PARTITIONS))
    assert subscription.connection_number == 1


def test_subscription_receives_a_partition_in_published_order(subscription, bus_url, namespace):
    publisher = Publisher(bus_url, namespace, window=300)
    try:
        until(lambda: publisher.poll(0.1) == [] and publisher.capacity)
        for offset in range(1, 201):
            publisher.publish(Position(3, offset), "movie-rated.v1", str(offset).encode())
        until(lambda: publisher.poll(0.1) is not None and not publisher.unconfirmed)
    finally:
        publisher.close()
    assert list(map(int, bodies(subscription, 200))) == list(range(1, 201))


def test_publisher_is_not_disturbed_when_queues_are_deleted(subscription, bus_url, namespace):
    publisher = Publisher(bus_url, namespace, window=300)
    try:
        until(lambda: publisher.poll(0.1) == [] and publisher.capacity)
        for offset in range(1, 5001):
            until(lambda: publisher.poll(0) is not None and publisher.capacity)
            publisher.publish(Position(offset % PARTITIONS, offset), "movie-rated.v1", b"{}")
            if offset == 2500:
                subscription.pause()
        until(lambda: publisher.poll(0.1) is not None and not publisher.unconfirmed)
        until(lambda: not subscription.connected)
    finally:
        publisher.close()


def test_receive_keeps_to_its_limit_and_timeout(subscription, publish):
    assert subscription.receive(10, 0) == []
    for body in (b"1", b"2", b"3"):
        publish(3, body)
    until(lambda: len(subscription._waiting) == 3)
    assert [it.body for it in subscription.receive(2, 10)] == [b"1", b"2"]
    assert [it.body for it in subscription.receive(2, 10)] == [b"3"]


def test_acknowledged_messages_leave_the_queues(subscription, publish, bus_url, namespace):
    for partition in range(PARTITIONS):
        publish(partition, b"x")
    bodies(subscription, PARTITIONS)
    names = [topology.queue(namespace, "test", group) for group in range(topology.GROUPS)]
    subscription.close()
    with channel(bus_url) as open_channel:
        counts = [
            open_channel.queue_declare(name, passive=True).method.message_count for name in names
        ]
    assert counts == [0] * topology.GROUPS


def test_subscription_reconnects_after_a_lost_connection(subscription, publish, proxy):
    proxy.cut()
    until(lambda: not subscription.connected)
    assert subscription.receive(10, 0) == []
    proxy.mend()
    until(lambda: subscription.connected)
    assert subscription.connection_number == 2
    publish(5, b"after")
    assert bodies(subscription, 1) == [b"after"]


def test_deliveries_of_an_earlier_connection_are_not_acknowledged(subscription, publish, proxy):
    publish(5, b"before")
    until(lambda: subscription._waiting)
    old = subscription.receive(1, 1)
    proxy.cut()
    until(lambda: not subscription.connected)
    proxy.mend()
    until(lambda: subscription.connected)
    subscription.ack_through(old)  # the broker closes a channel that acknowledges unknown messages
    publish(5, b"after")
    assert bodies(subscription, 1) == [b"after"]
    assert subscription.connection_number == 2


def queues(url, namespace):
    """The groups whose queues exist."""
    names = []
    for group in range(topology.GROUPS):
        with channel(url) as open_channel, suppress(ChannelClosedByBroker):
            open_channel.queue_declare(topology.queue(namespace, "test", group), passive=True)
            names.append(group)
    return names


def test_paused_subscription_leaves_no_queues(subscription, publish, bus_url, namespace):
    subscription.pause()
    until(lambda: not subscription.connected)
    assert queues(bus_url, namespace) == []
    publish(5, b"meanwhile")
    subscription.resume()
    until(lambda: subscription.connected)
    publish(5, b"after")
    assert bodies(subscription, 1) == [b"after"]


def test_standby_subscription_takes_over_when_another_pauses(
    subscription, publish, bus_url, namespace
):
    with subscribed(bus_url, namespace) as other:
        until(lambda: other.connected)
        subscription.pause()
        until(lambda: other.connection_number == 2)
        publish(5, b"for the other")
        assert bodies(other, 1) == [b"for the other"]
        subscription.resume()
        until(lambda: subscription.connected)
        publish(5, b"for the other, too")
        assert bodies(other, 1) == [b"for the other, too"]
        assert other.connection_number == 2


def test_deleted_queue_is_declared_again(subscription, publish, bus_url, namespace):
    with channel(bus_url) as open_channel:
        open_channel.queue_delete(topology.queue(namespace, "test", 5))
    until(lambda: subscription.connection_number == 2)
    publish(5, b"group five")
    publish(13, b"too")
    assert bodies(subscription, 2) == [b"group five", b"too"]


def test_subscription_survives_deletion_of_all_queues(subscription, publish, bus_url, namespace):
    with channel(bus_url) as open_channel:
        for group in range(topology.GROUPS):
            open_channel.queue_delete(topology.queue(namespace, "test", group))
    until(lambda: subscription.connection_number > 1 and subscription.connected)
    publish(1, b"still here")
    assert bodies(subscription, 1) == [b"still here"]


def test_resumed_subscription_skips_messages_sent_while_paused(subscription, publish):
    subscription.pause()
    until(lambda: not subscription.connected)
    assert subscription.paused
    publish(2, b"meanwhile")
    subscription.resume()
    until(lambda: subscription.connected)
    assert subscription.connection_number == 2
    publish(2, b"then")
    assert bodies(subscription, 1) == [b"then"]


def test_only_one_of_two_subscriptions_receives_until_it_closes(
    subscription, publish, bus_url, namespace
):
    with subscribed(bus_url, namespace) as standby:
        until(lambda: standby.connected)
        publish(5, b"one")
        assert bodies(subscription, 1) == [b"one"]
        publish(5, b"two")
        until(lambda: subscription._waiting)  # delivered by the broker, never acknowledged
        subscription.close()
        assert bodies(standby, 1) == [b"two"]
        publish(5, b"three")
        assert bodies(standby, 1) == [b"three"]


def test_unreachable_broker_raises_nothing(proxy, bus_url, namespace):
    proxy.cut()
    with subscribed(proxy.url, namespace) as subscription:
        assert subscription.receive(10, 0.2) == []
        subscription.ack_through([])
        subscription.pause()
        subscription.resume()
        assert not subscription.connected
        proxy.mend()
        until(lambda: subscription.connected)


def test_subscription_closes_while_it_cannot_connect(proxy, namespace):
    proxy.cut()
    subscription = Subscription(proxy.url, namespace, "test", PARTITIONS)
    subscription.close()
    assert not subscription._thread.is_alive()


def test_subscription_works_with_fewer_partitions_than_groups(bus_url, namespace):
    with (
        subscribed(bus_url, namespace, partitions=3) as subscription,
        publishing(bus_url, namespace) as publish,
    ):
        until(lambda: subscription.connected)
        for partition in range(3):
            publish(partition, b"x")
        assert bodies(subscription, 3) == [b"x"] * 3
