"""Addresses of the servers, and the variables by which programs find them."""

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
"""Whoever sets a server's variable brings that server; we start the others."""
BUS_ADMIN = "SERVICES_RABBITMQ_ADMIN_URL"
"""Whoever brings RabbitMQ may say here where its management answers, as tests want to know."""


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """One URL a server."""

    postgres: str
    """The database ``postgres``, from which others are made and dropped."""
    bus: str
    bus_admin: str
    """RabbitMQ's management interface; empty where nobody says it of a given server."""
    redis: str
    query_redis: str
    """The same Redis for the query API: a user that writes only caches and its throttles."""
    elasticsearch: str


def addresses(ports: Mapping[str, int], given: Mapping[str, str]) -> Addresses:
    """Given URLs first, our own servers' for the rest."""
    database = given.get(VARIABLES["postgres"]) or postgres.url(ports)
    whole = given.get(VARIABLES["redis"]) or redis.url(ports)
    given_bus = given.get(VARIABLES["rabbitmq"])
    return Addresses(
        postgres=postgres.at_database(database, "postgres"),
        bus=given_bus or rabbitmq.url(ports),
        bus_admin=given.get(BUS_ADMIN, "") if given_bus else rabbitmq.admin_url(ports),
        redis=whole,
        query_redis=given.get("MARQUEE_QUERY_REDIS_URL") or redis.as_query(whole),
        elasticsearch=given.get(VARIABLES["elasticsearch"]) or elasticsearch.url(ports),
    )


def environment(found: Addresses, given: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead a program to these servers, its databases created if missing."""
    log = given.get("MARQUEE_DATABASE_URL") or postgres.at_database(found.postgres, LOG)
    vault = given.get("MARQUEE_VAULT_URL") or postgres.at_database(found.postgres, VAULT)
    for url in (log, vault):
        postgres.create_database(url, urlsplit(url).path.lstrip("/"))
    return {
        "MARQUEE_DATABASE_URL": log,
        "MARQUEE_VAULT_URL": vault,
        "MARQUEE_BUS_URL": found.bus,
        "MARQUEE_REDIS_URL": found.redis,
        "MARQUEE_QUERY_REDIS_URL": found.query_redis,
        "MARQUEE_ELASTICSEARCH_URL": found.elasticsearch,
    }
