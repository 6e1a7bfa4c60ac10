"""Publisher: confirms, refusals and lost connections."""

import pika
import pytest

from events.bus import BusLost, Publisher, topology
from events.recorded import Position
from tests.fixtures.tcp_proxy import proxy_to
from tests.fixtures.waiting import until


@pytest.fixture
def proxy(bus_url):
    with proxy_to(bus_url) as proxy:
        yield proxy


@pytest.fixture
def publisher(proxy, namespace):
    publisher = Publisher(proxy.url, namespace, window=10)
    until(lambda: publisher.poll(0.1) == [] and publisher.is_ready)
    yield publisher
    publisher.close()


def confirmed(publisher, count):
    positions: list[Position] = []

    def has_all():
        positions.extend(publisher.poll(0.1))
        return len(positions) >= count

    until(has_all)
    return positions


def test_published_message_is_persistent_with_id_and_content_type(publisher, bus_url, namespace):
    with pika.BlockingConnection(pika.URLParameters(bus_url)) as connection:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, topology.exchange(namespace), "*.movie-rated.v1")
        publisher.publish(Position(7, 3), "movie-rated.v1", b"{}")
        publisher.publish(Position(7, 4), "movie-added.v1", b"{}")
        assert sorted(confirmed(publisher, 2)) == [Position(7, 3), Position(7, 4)]
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        assert channel.basic_get(queue)[0] is None
    assert (method.routing_key, body) == ("7.movie-rated.v1", b"{}")
    assert properties.content_type == "application/cloudevents+json"
    assert (properties.message_id, properties.delivery_mode) == ("7-3", 2)


def test_unroutable_message_is_confirmed(publisher):
    publisher.publish(Position(0, 1), "movie-rated.v1", b"{}")
    assert confirmed(publisher, 1) == [Position(0, 1)]


def test_missing_confirm_ends_the_connection_after_a_timeout(publisher, proxy, monkeypatch):
    monkeypatch.setattr("events.bus.publisher._CONFIRM_TIMEOUT_SECONDS", 0.2)
    proxy.is_mute = True
    publisher.publish(Position(0, 1), "movie-rated.v1", b"{}")
    with pytest.raises(BusLost, match="no confirm for message 1"):
        until(lambda: publisher.poll(0.1))
    proxy.is_mute = False


def test_publisher_capacity_is_the_window_minus_unconfirmed_messages(publisher):
    for offset in range(1, 11):
        publisher.publish(Position(0, offset), "movie-rated.v1", b"{}")
    assert (publisher.capacity, publisher.unconfirmed) == (0, 10)
    confirmed(publisher, 10)
    assert (publisher.capacity, publisher.unconfirmed) == (10, 0)


def test_nacked_message_ends_the_connection(publisher, bus_url, namespace):
    with pika.BlockingConnection(pika.URLParameters(bus_url)) as connection:
        channel = connection.channel()
        full = {"x-max-length": 1, "x-overflow": "reject-publish"}
        queue = channel.queue_declare("", exclusive=True, arguments=full).method.queue
        channel.queue_bind(queue, topology.exchange(namespace), "#")
        for offset in range(1, 6):
            publisher.publish(Position(0, offset), "movie-rated.v1", b"{}")
        with pytest.raises(BusLost, match="refused"):
            until(lambda: publisher.poll(0.1) is None)


def test_lost_connection_is_raised_after_the_last_confirm(publisher, proxy):
    publisher.publish(Position(0, 1), "movie-rated.v1", b"{}")
    confirmed(publisher, 1)
    proxy.cut()
    with pytest.raises(BusLost):
        until(lambda: publisher.poll(0.1) is None)
    assert publisher.capacity == 0
    publisher.publish(Position(0, 2), "movie-rated.v1", b"{}")
    with pytest.raises(BusLost):
        publisher.poll(0.1)


def test_wake_from_another_thread_ends_the_poll(publisher, proxy):
    publisher.wake()
    assert publisher.poll(30) == []


def test_unreachable_broker_is_raised_at_the_next_poll(proxy, namespace):
    proxy.close()
    publisher = Publisher(proxy.url, namespace, window=10)
    with pytest.raises(BusLost):
        until(lambda: publisher.poll(0.1))
    publisher.close()
    publisher.wake()
