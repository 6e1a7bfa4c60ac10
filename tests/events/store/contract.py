"""Contract tests of every event store."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.catalogue import MovieRated
from events.recorded import Origin, Stream, partition_of
from events.store import AppendEntry, EventStore, WrongExpectedVersion

ANN, BOB = (UUID(int=0x4000_8000_0000_0000_0000 + n) for n in (1, 2))
ORIGIN = Origin(correlation_id=UUID(int=7), causation_id="1-1", traceparent="00-ab-cd-01")


def rating(user: UUID, movie: int) -> Stream:
    return Stream(f"rating-{user}-{movie}", str(user))


def rated(user: UUID, movie: int, score: int = 7) -> MovieRated:
    return MovieRated(user_id=user, movie_id=movie, score=score)


class _Contract:
    @pytest.fixture
    def partition(self, store: EventStore) -> int:
        return partition_of(str(ANN), store.partitions)


class OneWriter(_Contract):
    """Contract with one writer. Subclasses provide the fixture ``store``, empty."""

    def test_new_store_is_empty(self, store):
        assert list(store.heads()) == [0] * store.partitions
        assert list(store.read(rating(ANN, 1))) == []
        assert list(store.page(0, after=0, limit=10)) == []
        assert store.versions([rating(ANN, 1)]) == {}
        assert store.read_many([rating(ANN, 1)]) == {}

    def test_read_returns_appended_events(self, store, partition):
        before = datetime.now(UTC)
        [first] = store.append(rating(ANN, 1), [rated(ANN, 1)], expected=0, origin=ORIGIN)
        assert (first.partition, first.offset, first.version) == (partition, 1, 1)
        assert (first.stream, first.origin) == (f"rating-{ANN}-1", ORIGIN)
        assert first.event == rated(ANN, 1)
        assert first.occurred_at == first.recorded_at
        assert abs(first.recorded_at - before) < timedelta(minutes=1)
        assert list(store.read(rating(ANN, 1))) == [first]
        assert list(store.page(partition, after=0, limit=10)) == [first]

    def test_occurred_at_differs_from_recorded_at(self, store):
        in_1997 = datetime(1997, 12, 31, 23, 59, 59, 123456, tzinfo=UTC)
        [appended] = store.append(
            rating(ANN, 1), [rated(ANN, 1)], expected=0, origin=ORIGIN, occurred_at=in_1997
        )
        [stored] = store.read(rating(ANN, 1))
        assert appended.occurred_at == stored.occurred_at == in_1997
        assert stored.recorded_at.year > 1997

    def test_versions_count_per_stream_and_offsets_per_partition(self, store, partition):
        store.append(rating(ANN, 1), [rated(ANN, 1), rated(ANN, 1, 8)], expected=0, origin=ORIGIN)
        store.append(rating(ANN, 2), [rated(ANN, 2)], expected=0, origin=ORIGIN)
        store.append(rating(ANN, 1), [rated(ANN, 1, 9)], expected=2, origin=ORIGIN)
        page = store.page(partition, after=0, limit=10)
        assert [(it.offset, it.stream[-1], it.version) for it in page] == [
            (1, "1", 1),
            (2, "1", 2),
            (3, "2", 1),
            (4, "1", 3),
        ]
        assert [it.version for it in store.read(rating(ANN, 1))] == [1, 2, 3]
        assert store.heads()[partition] == sum(store.heads()) == 4

    def test_read_many_returns_many_streams(self, store):
        streams = [rating(user, movie) for user in (ANN, BOB) for movie in (1, 2)]
        for stream in streams:
            store.append(stream, [rated(ANN, 1), rated(ANN, 1, 8)], expected=0, origin=ORIGIN)
        streams_to_read = [streams[0], streams[3], rating(ANN, 3)]
        assert store.read_many(streams_to_read) == {
            stream.name: list(store.read(stream)) for stream in streams_to_read[:2]
        }
        assert store.read_many([]) == {}

    def test_streams_of_an_owner_are_listed_in_pages(self, store):
        for user in (ANN, BOB):
            for movie in (1, 2, 3):
                store.append(rating(user, movie), [rated(user, movie)], expected=0, origin=ORIGIN)
        second_rating = [rated(ANN, 2, 9)]
        store.append(rating(ANN, 2), second_rating, expected=1, origin=ORIGIN)
        options = {"owner": str(ANN), "limit": 2}
        first = store.streams(**options, prefix=f"rating-{ANN}-", after="")
        assert list(first) == [f"rating-{ANN}-1", f"rating-{ANN}-2"]
        rest = store.streams(**options, prefix=f"rating-{ANN}-", after=first[-1])
        assert list(rest) == [f"rating-{ANN}-3"]
        assert list(store.streams(**options, prefix="favourite-", after="")) == []
        listed = store.streams(str(ANN), prefix="rating-", after="", limit=10)
        assert len(listed) == 3  # other streams may share the partition

    def test_empty_append_records_nothing(self, store):
        assert list(store.append(rating(ANN, 1), [], expected=0, origin=ORIGIN)) == []
        assert sum(store.heads()) == 0

    def test_append_with_wrong_expected_version_is_refused(self, store, partition):
        store.append(rating(ANN, 1), [rated(ANN, 1)], expected=0, origin=ORIGIN)
        with pytest.raises(WrongExpectedVersion):
            store.append(rating(ANN, 1), [rated(ANN, 1, 8)], expected=0, origin=ORIGIN)
        assert store.heads()[partition] == 1
        [appended] = store.append(rating(ANN, 1), [rated(ANN, 1, 9)], expected=1, origin=ORIGIN)
        assert (appended.offset, appended.version) == (2, 2)

    def test_pages_continue_after_the_last_offset(self, store, partition):
        for movie in range(7):
            store.append(rating(ANN, movie), [rated(ANN, movie)], expected=0, origin=ORIGIN)
        movie_ids: list[int] = []
        while page := store.page(partition, after=len(movie_ids), limit=3):
            assert len(page) <= 3
            movie_ids += [it.event.movie_id for it in page]
        assert movie_ids == list(range(7))

    def test_stored_page_is_the_undecoded_page(self, store, partition):
        store.append(rating(ANN, 1), [rated(ANN, 1)], expected=0, origin=ORIGIN)
        [stored] = store.page_stored(partition, after=0, limit=5)
        [recorded] = store.page(partition, after=0, limit=5)
        assert stored.type == "movie-rated.v1"
        for name in ("partition", "offset", "stream", "version", "recorded_at"):
            assert getattr(stored, name) == getattr(recorded, name)
        for name in ("correlation_id", "causation_id", "traceparent"):
            assert getattr(stored, name) == getattr(recorded.origin, name)

    def test_versions_returns_versions_of_many_streams(self, store):
        store.append(rating(ANN, 1), [rated(ANN, 1), rated(ANN, 1, 8)], expected=0, origin=ORIGIN)
        store.append(rating(BOB, 1), [rated(BOB, 1)], expected=0, origin=ORIGIN)
        streams = [rating(ANN, 1), rating(BOB, 1), rating(BOB, 2)]
        assert store.versions(streams) == {f"rating-{ANN}-1": 2, f"rating-{BOB}-1": 1}

    def test_bulk_append_keeps_its_order(self, store):
        users = [uuid4() for _ in range(20)]
        entries = [
            AppendEntry(rating(user, movie), version, rated(user, movie, score))
            for movie in (1, 2)
            for version, score in ((1, 5), (2, 6))
            for user in users
        ]
        positions = store.append_many(entries, origin=ORIGIN)
        assert len(set(positions)) == len(entries)
        for entry, position in zip(entries, positions, strict=True):
            [stored] = store.page(position.partition, after=position.offset - 1, limit=1)
            assert (stored.stream, stored.version) == (entry.stream.name, entry.version)
            assert stored.event == entry.event
        for user in users:
            assert [it.event.score for it in store.read(rating(user, 2))] == [5, 6]

    def test_bulk_append_is_all_or_nothing(self, store):
        store.append(rating(BOB, 1), [rated(BOB, 1)], expected=0, origin=ORIGIN)
        heads = list(store.heads())
        users = [uuid4() for _ in range(10)]
        entries = [AppendEntry(rating(user, 1), 1, rated(user, 1)) for user in (*users, BOB)]
        with pytest.raises(WrongExpectedVersion):
            store.append_many(entries, origin=ORIGIN)
        assert list(store.heads()) == heads
        assert store.append_many(entries[:-1], origin=ORIGIN)


class ManyWriters(_Contract):
    """Contract with concurrent writers. Subclasses provide ``store`` and ``in_threads``."""

    def test_one_of_concurrent_appends_to_a_stream_wins(self, store, partition, in_threads):
        outcomes = in_threads(8, lambda nth: self._try(store, nth))
        assert Counter(outcomes) == {"appended": 1, "moved": 7}
        assert store.heads()[partition] == 1

    def _try(self, store: EventStore, nth: int) -> str:
        try:
            store.append(rating(ANN, 1), [rated(ANN, 1, nth + 1)], expected=0, origin=ORIGIN)
        except WrongExpectedVersion:
            return "moved"
        return "appended"

    def test_concurrent_bulk_appends_do_not_deadlock(self, store, in_threads):
        users = [uuid4() for _ in range(40)]

        def append(nth: int) -> None:
            for movie in range(10):
                shuffled = Random(100 * nth + movie).sample(users, len(users))
                number = 100 * nth + movie
                entries = [
                    AppendEntry(rating(user, number), 1, rated(user, number)) for user in shuffled
                ]
                store.append_many(entries, origin=ORIGIN)

        in_threads(4, append)
        assert sum(store.heads()) == 4 * 10 * 40
        assert_dense(store)

    def test_reader_beside_writers_never_skips_an_offset(self, store, partition, in_threads):
        writers, each = 6, 30

        def work(nth: int) -> list[int]:
            if nth < writers:
                for movie in range(each):
                    number = 1000 * nth + movie
                    event = rated(ANN, number)
                    store.append(rating(ANN, number), [event], expected=0, origin=ORIGIN)
                return []
            offsets_read: list[int] = []
            while len(offsets_read) < writers * each:
                after = offsets_read[-1] if offsets_read else 0
                offsets_read += [it.offset for it in store.page(partition, after=after, limit=7)]
            return offsets_read

        *_, offsets = in_threads(writers + 1, work)
        assert offsets == list(range(1, writers * each + 1))


def assert_dense(store: EventStore) -> None:
    """Check that offsets, and versions in each stream, count from 1 to the head without a gap."""
    for partition, head in enumerate(store.heads()):
        page = store.page(partition, after=0, limit=1_000_000)
        assert [it.offset for it in page] == list(range(1, head + 1))
        versions: dict[str, list[int]] = defaultdict(list)
        for it in page:
            versions[it.stream].append(it.version)
        for stream_versions in versions.values():
            assert stream_versions == list(range(1, len(stream_versions) + 1))


def run_in_threads(count, work, clean_up):
    """The results of ``work(nth)`` in ``count`` threads that start together."""
    answers: list[Any] = [None] * count
    failures: list[BaseException] = []
    begin = Barrier(count)

    def run(nth: int) -> None:
        try:
            begin.wait(timeout=30)
            answers[nth] = work(nth)
        except BaseException as error:  # noqa: BLE001 - raised again where the test sees it
            failures.append(error)
        finally:
            clean_up()

    threads = [Thread(target=run, args=(nth,)) for nth in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    if failures:
        raise failures[0]
    return answers
