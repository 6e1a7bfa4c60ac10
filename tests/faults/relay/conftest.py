"""Fixtures of the relay's fault tests."""

import pytest

from tests.faults.relay.relay_setup import RelayProcesses, Subscriber
from tests.fixtures.broker import own_broker
from tests.fixtures.tcp_proxy import proxy_to


@pytest.fixture
def proxy(bus_url):
    with proxy_to(bus_url) as proxy:
        yield proxy


@pytest.fixture
def relays(log_database, redis_url, namespace):
    relays = RelayProcesses(namespace)
    yield relays
    relays.end()


@pytest.fixture
def subscriber(bus_url, namespace):
    subscriber = Subscriber(bus_url, namespace)
    yield subscriber
    subscriber.subscription.close()


@pytest.fixture(scope="module")
def broker():
    """RabbitMQ server for tests that kill it, fill its disk or raise its alarms."""
    with own_broker() as broker:
        yield broker


@pytest.fixture
def broker_subscriber(broker, namespace):
    """Subscriber of the broker that a test may stop."""
    subscriber = Subscriber(broker.url, namespace)
    yield subscriber
    subscriber.subscription.close()
