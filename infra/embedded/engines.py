"""Engines of the embedded platform, and the environment variables with their URLs."""

from collections.abc import Mapping, Sequence

from infra.embedded import postgres, redis
from infra.embedded.layout import Layout
from infra.platform.supervisor import Member
from infra.services import as_query


def engines(layout: Layout) -> Sequence[Member]:
    """PostgreSQL and Redis, which all other processes need."""
    return [postgres.postgres(layout), redis.redis(layout)]


def environment(layout: Layout, *, query_url: str) -> Mapping[str, str]:
    """The environment of the platform's processes; without a bus they read from the event log."""
    return {
        "MARQUEE_DATABASE_URL": postgres.url(layout, "marquee"),
        "MARQUEE_VAULT_URL": postgres.url(layout, "marquee_vault"),
        "MARQUEE_BUS_URL": "",
        "MARQUEE_REDIS_URL": redis.url(layout),
        "MARQUEE_QUERY_REDIS_URL": as_query(redis.url(layout)),
        "MARQUEE_CACHE_REDIS_URL": redis.cache_url(layout),
        "MARQUEE_SEARCH": "tantivy",
        "MARQUEE_SEARCH_DIR": str(layout.index),
        "MARQUEE_NAMESPACE": "marquee",
        "MARQUEE_KEYS_DIR": str(layout.keys),
        "MARQUEE_SITE_ORIGIN": query_url,
    }
