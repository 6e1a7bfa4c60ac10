"""In-memory event store: the contract tests."""

import pytest

from tests.events.store.contract import ManyWriters, OneWriter, run_in_threads
from tests.fixtures.memory_store import MemoryStore


class TestMemoryStore(OneWriter, ManyWriters):
    @pytest.fixture
    def store(self):
        return MemoryStore(8)

    @pytest.fixture
    def in_threads(self):
        return lambda count, work: run_in_threads(count, work, lambda: None)
