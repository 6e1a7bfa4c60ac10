"""Interleaved transactions: a reader of the log sees every event."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from functools import partial
from itertools import combinations, product
from typing import Literal, TypeAlias
from uuid import UUID, uuid4

import pytest
from django.db import connections

from events.recorded import Position, Recorded, Stored, partition_of
from events.relay.outbox import Outbox
from events.store import AppendEntry
from events.store.postgres import PostgresStore
from infra.config import config
from tests.events.store.contract import ORIGIN, assert_dense, rated, rating
from tests.events.store.ordered_transactions import Hand, hands

ANN, BOB, CAROL = (UUID(int=n) for n in (1, 2, 3))
LOW, HIGH = sorted((ANN, BOB), key=lambda who: partition_of(str(who), config().partitions))

Ending: TypeAlias = Literal["commit", "roll back"]
ENDINGS: Sequence[tuple[Ending, Ending]] = (
    ("commit", "commit"),
    ("commit", "roll back"),
    ("roll back", "commit"),
    ("roll back", "roll back"),
)


@pytest.fixture
def store(log_database):
    return PostgresStore(config().partitions)


@pytest.fixture
def three(store):
    with hands(3) as transactions:
        yield transactions


def partition(user: UUID) -> int:
    return partition_of(str(user), config().partitions)


def append(store: PostgresStore, *users: UUID) -> Callable[[], Sequence[Position]]:
    """A bulk append of a new rating of each user."""
    movie = uuid4().int >> 80
    entries = [AppendEntry(rating(user, movie), 1, rated(user, movie)) for user in users]
    return partial(store.append_many, entries, origin=ORIGIN)


def append_one(store: PostgresStore, user: UUID) -> Callable[[], Sequence[Recorded]]:
    """The same with single appends, as commands do."""
    movie = uuid4().int >> 80
    return partial(
        store.append, rating(user, movie), [rated(user, movie)], expected=0, origin=ORIGIN
    )


class Reader:
    """A reader with a plain cursor in each partition."""

    def __init__(
        self, page: Callable[[int, int], Iterable[Recorded | Stored]], *users: UUID
    ) -> None:
        self._page = page
        self.seen: dict[int, list[int]] = {partition(who): [] for who in users}

    def read(self) -> None:
        for where, offsets in self.seen.items():
            while page := [it.offset for it in self._page(where, offsets[-1] if offsets else 0)]:
                offsets.extend(page)


def log_reader(store: PostgresStore, *users: UUID) -> Reader:
    return Reader(lambda partition, after: store.page(partition, after=after, limit=2), *users)


def outbox_reader(*users: UUID) -> Reader:
    outbox = Outbox()
    return Reader(lambda partition, after: outbox.unsent({partition: after}, limit=2), *users)


def test_second_append_to_a_partition_waits_for_the_first(store, three):
    first, second, _ = three
    reader = log_reader(store, ANN, BOB)
    [one] = first.do(append_one(store, ANN))
    later = second.start(append_one(store, ANN))
    assert not second.settle()
    reader.read()
    assert (one.offset, reader.seen[partition(ANN)]) == (1, [])
    first.commit()
    [two] = later.result(timeout=60)
    reader.read()
    assert (two.offset, reader.seen[partition(ANN)]) == (2, [1])
    second.commit()
    assert second.settle()
    reader.read()
    assert reader.seen[partition(ANN)] == [1, 2]


def test_rolled_back_append_leaves_no_gap(store, three):
    first, second, _ = three
    first.do(append_one(store, ANN))
    later = second.start(append_one(store, ANN))
    assert not second.settle()
    first.roll_back()
    [only] = later.result(timeout=60)
    second.commit()
    assert second.settle()
    assert only.offset == 1
    assert_dense(store)


def test_appends_to_two_partitions_do_not_wait_and_commit_in_any_order(store, three):
    first, second, _ = three
    reader = log_reader(store, ANN, BOB)
    first.do(append_one(store, ANN))
    second.do(append_one(store, BOB))
    second.commit()
    assert second.settle()
    reader.read()
    assert (reader.seen[partition(ANN)], reader.seen[partition(BOB)]) == ([], [1])
    first.commit()
    assert first.settle()
    reader.read()
    assert (reader.seen[partition(ANN)], reader.seen[partition(BOB)]) == ([1], [1])


def test_bulk_appends_lock_partitions_in_one_order_and_do_not_deadlock(store, three):
    """One holds the lower partition; then two append to both partitions in opposite orders."""
    holder, one, other = three
    holder.do(append(store, LOW))
    waiting = {one.start(append(store, LOW, HIGH)): one}
    assert not one.settle()
    waiting[other.start(append(store, HIGH, LOW))] = other
    assert not other.settle()
    assert holder.do(append(store, HIGH)) == [Position(partition(HIGH), 1)]  # no append yet
    holder.commit()
    while waiting:  # the first to wait is nearly always the first to finish, but need not be
        finished, _ = wait(waiting, timeout=60, return_when=FIRST_COMPLETED)
        [positions] = finished
        positions.result()
        hand = waiting.pop(positions)
        hand.commit()
        assert hand.settle()
    assert (store.heads()[partition(LOW)], store.heads()[partition(HIGH)]) == (3, 3)
    assert_dense(store)


def schedules() -> Iterable[Sequence[int]]:
    """Every interleaving of two transactions of three steps each."""
    for of_first in combinations(range(6), 3):
        yield [0 if nth in of_first else 1 for nth in range(6)]


USERS_OF_TRANSACTIONS: Mapping[str, tuple[Sequence[UUID], Sequence[UUID]]] = {
    "one partition": ((ANN, ANN), (ANN, ANN)),
    "two partitions": ((ANN, ANN), (BOB, BOB)),
    "both, in order": ((LOW, HIGH), (LOW, HIGH)),
    "one in common": ((ANN, ANN), (min(ANN, CAROL, key=partition), max(ANN, CAROL, key=partition))),
}


@pytest.mark.parametrize("way", USERS_OF_TRANSACTIONS)
def test_cursor_never_skips_an_event_in_any_interleaving(store, three, way: str):
    all_users = {*USERS_OF_TRANSACTIONS[way][0], *USERS_OF_TRANSACTIONS[way][1]}
    readers = [log_reader(store, *all_users), outbox_reader(*all_users)]
    expected = {partition(user): 0 for user in all_users}
    for schedule, endings in product(schedules(), ENDINGS):
        run(store, three[:2], schedule, USERS_OF_TRANSACTIONS[way], endings, readers)
        for users, ending in zip(USERS_OF_TRANSACTIONS[way], endings, strict=True):
            for user in users if ending == "commit" else ():
                expected[partition(user)] += 1
        for reader in readers:
            assert reader.seen == {
                it: list(range(1, count + 1)) for it, count in expected.items()
            }, (schedule, endings)
    assert_dense(store)


def run(
    store: PostgresStore,
    pair: Sequence[Hand],
    schedule: Sequence[int],
    users: tuple[Sequence[UUID], Sequence[UUID]],
    endings: tuple[Ending, Ending],
    readers: Sequence[Reader],
) -> None:
    """Run the steps of two transactions in this order, reading after every step.

    A transaction that waits for a lock does its remaining steps once the other one has ended.
    """
    steps: list[list[Callable[[], object]]] = [
        [
            *(partial(hand.start, append(store, user)) for user in own_users),
            hand.commit if ending == "commit" else hand.roll_back,
        ]
        for hand, own_users, ending in zip(pair, users, endings, strict=True)
    ]
    for nth in schedule:
        steps[nth].pop(0)()
        pair[nth].settle()
        for reader in readers:
            reader.read()
    for hand in pair:
        assert hand.settle()
    for reader in readers:
        reader.read()


def test_pages_are_in_offset_order_with_any_query_plan(store):
    """A rewritten row is stored behind the others, as after a vacuum or a restored backup."""
    for movie in range(5):
        stream = rating(ANN, movie)
        entries = [AppendEntry(stream, nth, rated(ANN, movie, nth)) for nth in (1, 2, 3)]
        store.append_many(entries, origin=ORIGIN)
    with connections["default"].cursor() as cursor:
        for offset in (9, 2, 1, 5):
            cursor.execute(
                'UPDATE events SET data = data WHERE partition = %s AND "offset" = %s',
                [partition(ANN), offset],
            )
        for plan in ("indexscan", "bitmapscan", "indexonlyscan"):
            cursor.execute(f"SET enable_{plan} = off")
    everything = list(range(1, 16))
    assert [it.offset for it in store.page(partition(ANN), after=0, limit=99)] == everything
    assert [it.offset for it in store.page(partition(ANN), after=3, limit=4)] == [4, 5, 6, 7]
    unsent = Outbox().unsent({partition(ANN): 0}, limit=99)
    assert [it.offset for it in unsent] == everything
    first = Outbox().unsent({partition(ANN): 0}, limit=4)
    assert [it.offset for it in first] == [1, 2, 3, 4]
    assert [it.version for it in store.read(rating(ANN, 0))] == [1, 2, 3]
    many = store.read_many([rating(ANN, 0), rating(ANN, 2)])
    assert {
        name: [it.version for it in recorded_events] for name, recorded_events in many.items()
    } == {
        rating(ANN, 0).name: [1, 2, 3],
        rating(ANN, 2).name: [1, 2, 3],
    }
