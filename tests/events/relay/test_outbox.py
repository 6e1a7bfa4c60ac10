"""Outbox: leadership, fencing and unsent events."""

from threading import Event, Thread
from uuid import uuid4

import pytest
from django.db import DatabaseError, connections

from events.catalogue import MovieRated
from events.recorded import Origin, Stream, partition_of
from events.relay.outbox import LeadershipLost, Outbox
from events.store import AppendEntry
from events.store.postgres import PostgresStore
from infra.config import config
from tests.events.store.contract import ANN, run_in_threads
from tests.faults.relay.relay_setup import query
from tests.fixtures.waiting import until

PARTITION = partition_of(str(ANN), 64)


@pytest.fixture
def outbox(log_database):
    outbox = Outbox()
    yield outbox
    outbox.close()


def in_other_connection(work):
    """Run a function with a database connection of its own."""
    [answer] = run_in_threads(1, lambda _: work(), connections.close_all)
    return answer


def force_leadership():
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE relay_epoch SET epoch = epoch + 1")


def append(count):
    stream = f"rating-{ANN}"
    entries = [
        AppendEntry(
            Stream(f"{stream}-{n}", str(ANN)), 1, MovieRated(user_id=ANN, movie_id=n, score=7)
        )
        for n in range(count)
    ]
    store = PostgresStore(config().partitions)
    store.append_many(entries, origin=Origin(correlation_id=uuid4()))


def test_only_one_relay_leads(outbox):
    assert outbox.acquire_leadership() == 1
    assert in_other_connection(lambda: Outbox().acquire_leadership()) is None
    outbox.close()
    assert in_other_connection(lambda: Outbox().acquire_leadership()) == 2


def test_leader_moves_cursors_forward_only(outbox):
    epoch = outbox.acquire_leadership()
    outbox.save_cursors(epoch, {PARTITION: 7, 3: 2})
    assert [outbox.cursors()[it] for it in (PARTITION, 3, 4)] == [7, 2, 0]
    with pytest.raises(LeadershipLost):
        outbox.save_cursors(epoch, {PARTITION: 6})
    assert outbox.cursors()[PARTITION] == 7


def test_deposed_leader_cannot_move_cursors(outbox):
    epoch = outbox.acquire_leadership()
    outbox.check_epoch(epoch)
    in_other_connection(force_leadership)
    with pytest.raises(LeadershipLost):
        outbox.save_cursors(epoch, {PARTITION: 7})
    with pytest.raises(LeadershipLost):
        outbox.check_epoch(epoch)
    assert outbox.cursors() == [0] * config().partitions


def test_delayed_cursor_update_and_new_leader_wait_for_each_other(outbox):
    """The deposed relay's statement waits for a row while the new one takes over and moves on."""
    epoch = outbox.acquire_leadership()
    holds, may_end = Event(), Event()

    def hold_the_row() -> None:
        connection = connections["default"]
        connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute('UPDATE relay_cursors SET "offset" = 1 WHERE partition = 3')
            holds.set()
            may_end.wait(timeout=30)
        connection.rollback()
        connections.close_all()

    def take_over() -> None:
        until(lambda: query("SELECT 1 FROM pg_locks WHERE NOT granted"))
        with connections["default"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")
            with pytest.raises(DatabaseError, match="lock timeout"):
                cursor.execute("UPDATE relay_epoch SET epoch = epoch + 1")
        may_end.set()
        connections.close_all()

    threads = [Thread(target=hold_the_row), Thread(target=take_over)]
    for thread in threads:
        thread.start()
    holds.wait(timeout=30)
    outbox.save_cursors(epoch, {3: 5})
    for thread in threads:
        thread.join(timeout=30)
    assert outbox.cursors()[3] == 5


def test_unsent_events_are_read_by_partition_in_order(outbox):
    append(5)
    assert outbox.backlog() == 5
    unsent = outbox.unsent({PARTITION: 1, (PARTITION + 1) % 64: 0}, limit=3)
    assert [(it.partition, it.offset) for it in unsent] == [(PARTITION, n) for n in (2, 3, 4)]
    assert outbox.unsent({PARTITION: 5}, limit=3) == []
    [stored] = outbox.unsent({PARTITION: 4}, limit=3)
    assert [stored] == PostgresStore(64).page_stored(PARTITION, after=4, limit=1)


def test_uncommitted_events_are_not_sent(outbox):
    connection = connections["default"]
    connection.set_autocommit(False)
    append(1)
    assert in_other_connection(lambda: Outbox().unsent({PARTITION: 0}, limit=3)) == []
    connection.rollback()
    connection.set_autocommit(True)
