"""Versions of the servers that are measured."""

from collections.abc import Mapping
from typing import Any

import httpx
import psycopg2
from redis import Redis

from infra.services import Addresses

_PATIENCE_SECONDS = 30.0


def versions(servers: Addresses) -> Mapping[str, str]:
    """Versions as the servers report them; without RabbitMQ if its management URL is unknown."""
    versions_by_name = {
        "postgresql": _postgresql(servers.postgres),
        "redis": _redis(servers.redis),
        "elasticsearch": _elasticsearch(servers.elasticsearch),
    }
    if servers.bus_admin:
        versions_by_name["rabbitmq"] = _json(f"{servers.bus_admin}/api/overview")[
            "rabbitmq_version"
        ]
    return versions_by_name


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
    nodes = _json(f"{url}/_nodes/http")["nodes"]
    return ", ".join(sorted({node["version"] for node in nodes.values()}))


def _json(url: str) -> Any:
    return httpx.get(url, timeout=_PATIENCE_SECONDS).raise_for_status().json()
