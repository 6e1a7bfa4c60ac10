"""Address of RabbitMQ's management, for our own and for a given broker."""

from itertools import count

import pytest

from infra.services.addresses import BUS_ADMIN, addresses
from infra.services.lifecycle import SERVERS
from tests.fixtures import broker
from tests.fixtures.broker import NoManagement

GIVEN_BROKER = {"MARQUEE_BUS_URL": "amqp://guest:guest@rabbitmq:5672/%2F"}
ADMIN = {BUS_ADMIN: "http://guest:guest@rabbitmq:15672"}
_port = count(20_000)
PORTS = {name: next(_port) for server in SERVERS for name in server.ports}


def test_management_of_our_rabbitmq_has_its_own_port():
    assert addresses(PORTS, {}).bus_admin.endswith(f":{PORTS['rabbitmq-management']}")


def test_management_address_of_a_given_rabbitmq_is_configured():
    assert addresses(PORTS, GIVEN_BROKER | ADMIN).bus_admin == ADMIN[BUS_ADMIN]
    assert addresses(PORTS, GIVEN_BROKER).bus_admin == ""


def test_management_address_is_ignored_for_our_rabbitmq():
    assert addresses(PORTS, ADMIN) == addresses(PORTS, {})


@pytest.mark.parametrize("change", [broker.empty, broker.purge])
def test_bus_fixtures_fail_without_a_management_address(change):
    with pytest.raises(NoManagement, match=BUS_ADMIN):
        change("", "test")


def test_virtual_host_and_policy_fail_without_a_management_address():
    with pytest.raises(NoManagement, match=BUS_ADMIN), broker.virtual_host("", "test"):
        pass
    with pytest.raises(NoManagement, match=BUS_ADMIN):
        broker.shorten("", "test", length=1)


def test_users_of_our_redis_have_urls_of_their_own():
    ours = addresses(PORTS, {})
    place = ours.redis.removeprefix("redis://")
    assert ours.query_redis == f"redis://query:query@{place}"
    assert ours.cache_redis == f"redis://cache:cache@{place}"
    others = ours.on_redis("redis://default:secret@elsewhere:6379/0")
    assert others.query_redis == "redis://query:query@elsewhere:6379/0"
    assert others.cache_redis == "redis://cache:cache@elsewhere:6379/0"
    assert others.postgres == ours.postgres


def test_given_query_user_writes_caches_unless_another_is_given():
    given = {"MARQUEE_QUERY_REDIS_URL": "redis://reader:x@redis:6379/0"}
    assert addresses(PORTS, given).cache_redis == given["MARQUEE_QUERY_REDIS_URL"]
    both = given | {"MARQUEE_CACHE_REDIS_URL": "redis://cacher:x@redis:6379/0"}
    assert addresses(PORTS, both).cache_redis == both["MARQUEE_CACHE_REDIS_URL"]
