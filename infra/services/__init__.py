"""PostgreSQL, RabbitMQ, Redis and Elasticsearch for this checkout.

``ensure()`` starts the servers that do not run and returns their addresses; ``environment()``
turns these into the environment variables of every program. A server whose variable is already set
is used as given.
"""

from infra.services.addresses import Addresses, environment
from infra.services.errors import DidNotStart, NotInstalled, PortTaken, ServiceError
from infra.services.lifecycle import ensure, native_servers, planned, status, stop
from infra.services.postgres import at_database, create_database, drop_database
from infra.services.redis import as_cache, as_query, private_redis

__all__ = [
    "Addresses",
    "DidNotStart",
    "NotInstalled",
    "PortTaken",
    "ServiceError",
    "as_cache",
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
