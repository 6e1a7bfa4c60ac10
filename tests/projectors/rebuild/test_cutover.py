"""Cut-over: a generation answers once it is level, and is followed all the time."""

from threading import Thread
from time import monotonic, sleep
from uuid import UUID, uuid4

import pytest

from events.catalogue import MovieRated
from events.recorded import Origin, Stream
from events.store import AppendEntry
from projectors.generations.pointers import Pointers
from projectors.read_models.library.read_model import Library
from projectors.rebuild import cutover
from projectors.rebuild.cutover import NotTakenOver, take_over
from tests.fixtures import model_access
from tests.fixtures.memory_store import MemoryStore
from tests.fixtures.waiting import until

PARTITIONS = 4
PATIENCE_SECONDS = 20

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore(PARTITIONS)
    rate(store, 40)
    return store


def rate(store: MemoryStore, count: int) -> None:
    users = [UUID(int=nth) for nth in range(count)]
    store.append_many(
        [
            AppendEntry(
                Stream(f"rating-{user}-{uuid4()}", str(user)),
                1,
                MovieRated(user_id=user, movie_id=1, score=8),
            )
            for user in users
        ],
        origin=Origin(correlation_id=uuid4()),
    )


def apply_log(model: Library, store: MemoryStore, partitions: range) -> None:
    for partition in partitions:
        at = model.checkpoint(partition)
        if page := store.page(partition, after=at, limit=1000):
            model_access.apply(model, page)


@pytest.fixture
def pointers(redis) -> Pointers:
    """Pointers of a platform with a running worker."""
    pointers = Pointers(redis)
    pointers.switch({"library": 1})
    pointers.note_followed([("library", 1)])
    return pointers


def test_generation_is_not_live_before_it_is_level(redis, store, pointers):
    new = Library(redis, 2)
    apply_log(new, store, range(PARTITIONS - 1))
    over: list[bool] = []
    taking = Thread(target=lambda: over.append(take_over([new], store, pointers, lambda _: None)))
    taking.start()
    until(lambda: pointers.snapshot().joining == {"library": 2})
    end = monotonic() + 2
    while monotonic() < end:  # the worker follows it, but it has not applied the whole log
        pointers.note_followed([("library", 1), ("library", 2)])
        assert pointers.snapshot().live == {"library": 1}
        sleep(0.05)
    apply_log(new, store, range(PARTITIONS))
    taking.join(PATIENCE_SECONDS)
    assert (over, pointers.snapshot().live) == ([True], {"library": 2})


def test_generation_is_not_live_before_a_worker_follows_it(redis, store, pointers, monkeypatch):
    monkeypatch.setattr(cutover, "PATIENCE_SECONDS", 1.0)
    new = Library(redis, 2)
    apply_log(new, store, range(PARTITIONS))
    with pytest.raises(NotTakenOver):
        take_over([new], store, pointers, lambda _: pointers.note_followed([("library", 1)]))
    assert pointers.snapshot().live == {"library": 1}
    assert pointers.snapshot().joining == {"library": 2}
