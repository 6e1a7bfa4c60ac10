"""Environment and start of a platform on real servers.

Several platforms can share the servers: each has databases, a namespace and keys of its own.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.platform.topology import Platform, prepare, running
from infra.services import Addresses, at_database
from infra.services.ports import free


@contextmanager
def platform(servers: Addresses, directory: Path, *, name: str, fresh: bool) -> Iterator[Platform]:
    """The platform ``name``, ready to answer; its processes end with the block.

    ``fresh`` begins with an empty log, whatever an earlier one of that name held. Raises
    DidNotStart with the last words of the process that did not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    environ = environment(servers, directory, name=name, fresh=fresh)
    prepare(environ, directory, fresh=fresh)
    with running(environ, directory / "logs", ports=(free(), free()), projectors=2) as found:
        yield found


def environment(
    servers: Addresses, directory: Path, *, name: str, fresh: bool
) -> Mapping[str, str]:
    """The variables that make a process one of the platform ``name``."""
    prefix = name.replace("_", "-")
    return {
        "MARQUEE_DATABASE_URL": at_database(servers.postgres, name),
        "MARQUEE_VAULT_URL": at_database(servers.postgres, f"{name}_vault"),
        "MARQUEE_BUS_URL": servers.bus,
        "MARQUEE_REDIS_URL": servers.redis,
        "MARQUEE_QUERY_REDIS_URL": servers.query_redis,
        "MARQUEE_ELASTICSEARCH_URL": servers.elasticsearch,
        # A new log must not meet the queues and indexes of an old one.
        "MARQUEE_NAMESPACE": f"{prefix}-{secrets.token_hex(4)}" if fresh else prefix,
        "MARQUEE_KEYS_DIR": str(directory.resolve() / "keys"),
    }
