"""Fixtures of the relay's fault tests."""

import pytest

from tests.faults.relay.relay_setup import Audience, Relays
from tests.fixtures.broker import own_broker
from tests.fixtures.tcp_proxy import proxy_to


@pytest.fixture
def line(bus_url):
    with proxy_to(bus_url) as line:
        yield line


@pytest.fixture
def relays(log_database, redis_url, namespace):
    relays = Relays(namespace)
    yield relays
    relays.end()


@pytest.fixture
def audience(bus_url, namespace):
    audience = Audience(bus_url, namespace)
    yield audience
    audience.subscription.close()


@pytest.fixture(scope="module")
def broker():
    """A RabbitMQ for tests that others would suffer from."""
    with own_broker() as broker:
        yield broker


@pytest.fixture
def listeners(broker, namespace):
    """An audience at that broker."""
    audience = Audience(broker.url, namespace)
    yield audience
    audience.subscription.close()
