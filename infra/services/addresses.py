"""URLs of the servers, and the environment variables that hold them."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from infra.services import elasticsearch, postgres, rabbitmq, redis

LOG = "marquee"
VAULT = "marquee_vault"

VARIABLES = {
    "postgres": "MARQUEE_DATABASE_URL",
    "rabbitmq": "MARQUEE_BUS_URL",
    "redis": "MARQUEE_REDIS_URL",
    "elasticsearch": "MARQUEE_ELASTICSEARCH_URL",
}
"""A server whose variable is set is used as given; the others are started."""
BUS_ADMIN = "SERVICES_RABBITMQ_ADMIN_URL"
"""URL of the management interface of a given RabbitMQ; tests need it."""


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """The URL of each server."""

    postgres: str
    """The database ``postgres``, from which others are created and dropped."""
    bus: str
    bus_admin: str
    """RabbitMQ's management interface; empty if it is unknown for a given server."""
    redis: str
    query_redis: str
    """The same Redis for the query API: a user that reads, and counts for its rate limits."""
    cache_redis: str
    """The same Redis for the query API's caches."""
    elasticsearch: str

    def on_redis(self, redis_url: str) -> "Addresses":
        """The same servers with another Redis of ours."""
        users = {
            "query_redis": redis.as_query(redis_url),
            "cache_redis": redis.as_cache(redis_url),
        }
        return msgspec.structs.replace(self, redis=redis_url, **users)


def addresses(ports: Mapping[str, int], given: Mapping[str, str]) -> Addresses:
    """The given URLs, and those of our own servers for the rest."""
    database = given.get(VARIABLES["postgres"]) or postgres.url(ports)
    redis_url = given.get(VARIABLES["redis"]) or redis.url(ports)
    query_redis = given.get("MARQUEE_QUERY_REDIS_URL")
    given_bus = given.get(VARIABLES["rabbitmq"])
    return Addresses(
        postgres=postgres.at_database(database, "postgres"),
        bus=given_bus or rabbitmq.url(ports),
        bus_admin=given.get(BUS_ADMIN, "") if given_bus else rabbitmq.admin_url(ports),
        redis=redis_url,
        query_redis=query_redis or redis.as_query(redis_url),
        # Users of somebody else's are theirs: there may be one for both.
        cache_redis=(
            given.get("MARQUEE_CACHE_REDIS_URL") or query_redis or redis.as_cache(redis_url)
        ),
        elasticsearch=given.get(VARIABLES["elasticsearch"]) or elasticsearch.url(ports),
    )


def environment(addresses_: Addresses, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """MARQUEE_* variables for these servers; creates the two databases if they are missing."""
    log = given.get("MARQUEE_DATABASE_URL") or postgres.at_database(addresses_.postgres, LOG)
    vault = given.get("MARQUEE_VAULT_URL") or postgres.at_database(addresses_.postgres, VAULT)
    for url in (log, vault):
        postgres.create_database(url, urlsplit(url).path.lstrip("/"))
    return {
        "MARQUEE_DATABASE_URL": log,
        "MARQUEE_VAULT_URL": vault,
        "MARQUEE_BUS_URL": addresses_.bus,
        "MARQUEE_REDIS_URL": addresses_.redis,
        "MARQUEE_QUERY_REDIS_URL": addresses_.query_redis,
        "MARQUEE_CACHE_REDIS_URL": addresses_.cache_redis,
        "MARQUEE_ELASTICSEARCH_URL": addresses_.elasticsearch,
    }
