"""Of which versions are the servers that were measured?"""

from collections.abc import Mapping

import httpx
import psycopg2
from redis import Redis

from infra.services import Addresses


def versions(servers: Addresses) -> Mapping[str, str]:
    """What each says of itself; of a bus that was given nobody knows how to ask."""
    found = {
        "postgresql": _postgresql(servers.postgres),
        "redis": _redis(servers.redis),
        "elasticsearch": _elasticsearch(servers.elasticsearch),
    }
    if servers.bus_admin:
        overview = httpx.get(f"{servers.bus_admin}/api/overview").json()
        found["rabbitmq"] = overview["rabbitmq_version"]
    return found


def _postgresql(url: str) -> str:
    connection = psycopg2.connect(url)
    try:
        return str(connection.get_parameter_status("server_version"))
    finally:
        connection.close()


def _redis(url: str) -> str:
    with Redis.from_url(url) as redis:
        return str(redis.info("server")["redis_version"])


def _elasticsearch(url: str) -> str:
    nodes = httpx.get(f"{url}/_nodes/http").raise_for_status().json()["nodes"]
    return ", ".join(sorted({node["version"] for node in nodes.values()}))
