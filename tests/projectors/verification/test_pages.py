"""Pages of the log that verifications share: the same events, read from the store once."""

from collections.abc import Sequence
from uuid import uuid4

import pytest

from events.catalogue import MovieRated
from events.recorded import Origin, Recorded, Stream
from projectors.verification.pages import KeptPages
from tests.fixtures.memory_store import MemoryStore


class CountingStore(MemoryStore):
    """Counts the pages that are read."""

    def __init__(self) -> None:
        super().__init__(1)
        self.times = 0

    def page(self, partition: int, *, after: int, limit: int) -> Sequence[Recorded]:
        """See EventStore."""
        self.times += 1
        return super().page(partition, after=after, limit=limit)

    def rate(self, count: int) -> None:
        for _ in range(count):
            user = uuid4()
            event = MovieRated(user_id=user, movie_id=1, score=8)
            stream = Stream(f"rating-{user}-1", str(user))
            self.append(stream, [event], expected=0, origin=Origin(correlation_id=uuid4()))


@pytest.fixture
def store() -> CountingStore:
    store = CountingStore()
    store.rate(5)
    return store


def read(pages: KeptPages, *, limit: int = 2, through: int = 4) -> list[int]:
    return [
        recorded.offset
        for after in range(0, through, limit)
        for recorded in pages.page(0, after=after, limit=limit)
    ]


def test_pages_are_read_from_the_store_once(store):
    pages = KeptPages(store)
    assert pages.partitions == 1
    assert [read(pages), read(pages)] == [[1, 2, 3, 4]] * 2
    assert store.times == 2


def test_page_that_was_not_full_is_read_again(store):
    pages = KeptPages(store)
    assert read(pages, through=6) == [1, 2, 3, 4, 5]
    store.rate(1)
    assert read(pages, through=6) == [1, 2, 3, 4, 5, 6]


def test_no_more_events_are_kept_than_allowed(store):
    pages = KeptPages(store, most=3)
    assert [read(pages), read(pages)] == [[1, 2, 3, 4]] * 2
    assert store.times == 3
