"""Fixtures: directories for servers that a test starts, kills and stops."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.services import native
from infra.services.postgres import POSTGRES
from infra.services.redis import REDIS

CHEAP = (REDIS, POSTGRES)


@pytest.fixture
def checkouts() -> Iterator[Callable[[], Path]]:
    """Make directories for servers; what runs there ends with the test."""
    with ExitStack() as stack:

        def make() -> Path:
            directory = tempfile.TemporaryDirectory(prefix="marquee-checkout-")
            services = Path(stack.enter_context(directory)) / "services"
            services.parent.chmod(0o755)  # the servers' own account needs access
            stack.callback(native.stop, CHEAP, services)
            return services

        yield make


@pytest.fixture
def checkout(checkouts: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """One such directory, also configured as MARQUEE_STATE_DIR."""
    services = checkouts()
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(services.parent))
    monkeypatch.setenv("SERVICES_ENGINE", "native")
    return services


@pytest.fixture
def only_redis(checkout) -> dict[str, str]:
    """Environment with addresses of every server but Redis."""
    return {
        "MARQUEE_DATABASE_URL": "postgresql://brought/marquee",
        "MARQUEE_BUS_URL": "amqp://brought",
        "MARQUEE_ELASTICSEARCH_URL": "http://brought",
    }
