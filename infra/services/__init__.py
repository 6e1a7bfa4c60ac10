"""PostgreSQL, RabbitMQ, Redis and Elasticsearch for this checkout.

``ensure()`` starts the servers that do not run and returns their addresses; ``environment()``
turns these into the environment variables of every program. A server whose variable is already set
is used as given.
"""

import os
from collections.abc import Mapping

from infra.services import addresses as _addresses
from infra.services.addresses import Addresses
from infra.services.errors import DidNotStart, NotInstalled, PortTaken, ServiceError
from infra.services.lifecycle import ensure, native_servers, planned, status, stop
from infra.services.postgres import at_database, create_database, drop_database
from infra.services.redis import as_query, private_redis

__all__ = [
    "Addresses",
    "DidNotStart",
    "NotInstalled",
    "PortTaken",
    "ServiceError",
    "as_query",
    "at_database",
    "create_database",
    "drop_database",
    "ensure",
    "environment",
    "native_servers",
    "planned",
    "private_redis",
    "status",
    "stop",
]


def environment(addresses: Addresses, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """MARQUEE_* variables for these servers; creates the two databases if they are missing."""
    return _addresses.environment(addresses, given)
