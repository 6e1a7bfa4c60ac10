"""Is the management of RabbitMQ found, of ours and of one that somebody brings?"""

from itertools import count

import pytest

from infra.services.addresses import BUS_ADMIN, addresses
from infra.services.lifecycle import SERVERS
from tests.fixtures import broker
from tests.fixtures.broker import NoManagement

BROUGHT = {"MARQUEE_BUS_URL": "amqp://guest:guest@rabbitmq:5672/%2F"}
ADMIN = {BUS_ADMIN: "http://guest:guest@rabbitmq:15672"}
_port = count(20_000)
PORTS = {name: next(_port) for server in SERVERS for name in server.ports}


def test_it_is_where_we_started_it():
    assert addresses(PORTS, {}).bus_admin.endswith(f":{PORTS['rabbitmq-management']}")


def test_it_is_where_whoever_brings_it_says():
    assert addresses(PORTS, BROUGHT | ADMIN).bus_admin == ADMIN[BUS_ADMIN]
    assert addresses(PORTS, BROUGHT).bus_admin == ""


def test_what_is_said_of_another_is_not_said_of_ours():
    assert addresses(PORTS, ADMIN) == addresses(PORTS, {})


@pytest.mark.parametrize("change", [broker.empty, broker.purge])
def test_nothing_is_changed_in_silence_where_nobody_says_it(change):
    with pytest.raises(NoManagement, match=BUS_ADMIN):
        change("", "test")


def test_no_virtual_host_is_pretended_and_no_queue_shortened():
    with pytest.raises(NoManagement, match=BUS_ADMIN), broker.virtual_host("", "test"):
        pass
    with pytest.raises(NoManagement, match=BUS_ADMIN):
        broker.shorten("", "test", length=1)
