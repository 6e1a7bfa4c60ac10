"""Engines of the embedded platform, and the variables that lead to them."""

from collections.abc import Mapping, Sequence

from infra.embedded import postgres, redis
from infra.embedded.layout import Layout
from infra.platform.supervisor import Member
from infra.services import as_query


def engines(place: Layout) -> Sequence[Member]:
    """What everything else needs."""
    return [postgres.postgres(place), redis.redis(place)]


def environment(place: Layout, *, query_url: str) -> Mapping[str, str]:
    """The variables that make a process one of this platform; without a bus the log is followed."""
    return {
        "MARQUEE_DATABASE_URL": postgres.url(place, "marquee"),
        "MARQUEE_VAULT_URL": postgres.url(place, "marquee_vault"),
        "MARQUEE_BUS_URL": "",
        "MARQUEE_REDIS_URL": redis.url(place),
        "MARQUEE_QUERY_REDIS_URL": as_query(redis.url(place)),
        "MARQUEE_CACHE_REDIS_URL": redis.cache_url(place),
        "MARQUEE_SEARCH": "tantivy",
        "MARQUEE_SEARCH_DIR": str(place.index),
        "MARQUEE_NAMESPACE": "marquee",
        "MARQUEE_KEYS_DIR": str(place.keys),
        "MARQUEE_SITE_ORIGIN": query_url,
    }
