"""PostgreSQL event store: the contract tests, and concurrent writers."""

import subprocess
import sys
from uuid import UUID

import pytest
from django.db import connections, transaction

from events.recorded import Stream
from events.store import WrongExpectedVersion
from events.store.postgres import _STREAMS, PostgresStore
from infra.config import config
from tests.events.store.contract import (
    ANN,
    ORIGIN,
    ManyWriters,
    OneWriter,
    assert_dense,
    rated,
    rating,
    run_in_threads,
)


class TestOneWriter(OneWriter):
    @pytest.fixture
    def store(self, db):
        return PostgresStore(config().partitions)

    def test_rollback_leaves_no_gap(self, store, partition):
        store.append(rating(ANN, 1), [rated(ANN, 1)], expected=0, origin=ORIGIN)
        with transaction.atomic():
            store.append(rating(ANN, 2), [rated(ANN, 2)], expected=0, origin=ORIGIN)
            transaction.set_rollback(True)
        [appended] = store.append(rating(ANN, 3), [rated(ANN, 3)], expected=0, origin=ORIGIN)
        assert appended.offset == 2
        assert_dense(store)

    def test_conflict_does_not_abort_the_surrounding_transaction(self, store):
        store.append(rating(ANN, 1), [rated(ANN, 1)], expected=0, origin=ORIGIN)
        with transaction.atomic():
            with pytest.raises(WrongExpectedVersion):
                store.append(rating(ANN, 1), [rated(ANN, 1)], expected=0, origin=ORIGIN)
            store.append(rating(ANN, 2), [rated(ANN, 2)], expected=0, origin=ORIGIN)
        assert sum(store.heads()) == 2

    def test_store_with_too_many_partitions_is_refused(self, store):
        wrong = PostgresStore(30_000)
        with pytest.raises(ValueError, match="The log has"), transaction.atomic():
            wrong.append(Stream("movie-3", "3"), [rated(ANN, 3)], expected=0, origin=ORIGIN)
        assert sum(store.heads()) == 0

    def test_streams_of_an_owner_are_a_range_of_the_index(self, store):
        """All other streams of the partition are left unread, in any collation."""
        bounds = [f"rating-{ANN}-", f"rating-{ANN}-zz", f"rating-{ANN}-%"]
        with connections["default"].cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {_STREAMS}", [1, *bounds, str(ANN), 10])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert f"(stream > 'rating-{ANN}-'::text) AND (stream < 'rating-{ANN}-zz'::text)" in plan


class TestManyWriters(ManyWriters):
    @pytest.fixture
    def store(self, log_database):
        return PostgresStore(config().partitions)

    @pytest.fixture
    def in_threads(self):
        return lambda count, work: run_in_threads(count, work, connections.close_all)

    def test_sixteen_writers_leave_no_gap(self, store):
        owners = [str(UUID(int=n)) for n in range(5)]
        command = [sys.executable, "-m", "tests.events.store.writer", "4", "50", *owners]
        writers = [subprocess.Popen(command) for _ in range(4)]
        assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0, 0]
        assert sum(store.heads()) == 4 * 4 * 50 * 2
        assert_dense(store)

    def test_uncommitted_event_is_invisible(self, store, partition, in_threads):
        with transaction.atomic():
            store.append(rating(ANN, 1), [rated(ANN, 1)], expected=0, origin=ORIGIN)
            [(head, page)] = in_threads(
                1, lambda _: (store.heads()[partition], store.page(partition, after=0, limit=9))
            )
        assert (head, list(page)) == (0, [])
