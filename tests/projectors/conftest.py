"""Fixtures of the read models' tests."""

import pytest
from redis import Redis

from tests.fixtures.recording import Recording


@pytest.fixture
def redis(redis_url):
    """An empty Redis with a worker's rights."""
    with Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def recording():
    """An empty log."""
    return Recording()
