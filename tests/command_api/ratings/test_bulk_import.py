"""Bulk import: which ratings lead to events."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_api.aggregate import MAX_ATTEMPTS, handle
from command_api.ratings.bulk_import import (
    EARLIEST,
    RatingInput,
    import_ratings,
    reject_invalid,
)
from command_api.ratings.decider import RateMovie, WithdrawRating, rating
from events.catalogue import MovieRated
from events.recorded import Origin
from events.store import WrongExpectedVersion
from tests.fixtures.memory_store import MemoryStore

ANN = UUID(int=1)
ALIEN, HEAT = 1, 2
NOW = datetime.now(UTC)
ORIGIN = Origin(correlation_id=uuid4())


def ago(days):
    return NOW - timedelta(days=days)


def import_into(store, *ratings):
    return import_ratings(ANN, dict(enumerate(ratings)), store, now=NOW, origin=ORIGIN)


def kinds(imported):
    return [imported.outcomes[nth].result for nth in sorted(imported.outcomes)]


def log(store):
    """Return the recorded events, in log order."""
    partition = next((p for p, head in enumerate(store.heads()) if head), 0)
    return store.page(partition, after=0, limit=5000)


def opinions(store):
    return [(it.event.movie_id, it.event.score) for it in log(store)]


def test_imported_ratings_are_appended_in_order_of_time():
    store = MemoryStore(8)
    ratings = [RatingInput(ALIEN, 7), RatingInput(HEAT, 9, ago(2)), RatingInput(3, 1, ago(9))]
    imported = import_into(store, *ratings)
    assert kinds(imported) == ["taken"] * 3
    assert opinions(store) == [(3, 1), (HEAT, 9), (ALIEN, 7)]
    assert [it.occurred_at for it in log(store)][:2] == [ago(9), ago(2)]
    assert imported.position == log(store)[-1].position


def test_imported_rating_of_a_clock_that_is_ahead_is_given_now():
    store = MemoryStore(8)
    import_into(store, RatingInput(ALIEN, 7, NOW + timedelta(seconds=40)))
    assert [it.occurred_at for it in log(store)] == [NOW]


def test_imported_rating_carries_the_previous_score():
    store = MemoryStore(8)
    import_into(store, RatingInput(ALIEN, 7, ago(9)))
    import_into(store, RatingInput(ALIEN, 8, ago(5)))
    assert [it.event.previous for it in log(store)] == [None, 7]


def test_imported_list_counts_the_latest_rating_of_a_movie():
    store = MemoryStore(8)
    ratings = [
        RatingInput(ALIEN, 7, ago(1)),
        RatingInput(ALIEN, 8, ago(5)),
        RatingInput(ALIEN, 9, ago(1)),
    ]
    imported = import_into(store, *ratings)
    assert kinds(imported) == ["unchanged", "unchanged", "taken"]
    assert opinions(store) == [(ALIEN, 9)]


def test_imported_rating_does_not_overwrite_a_later_one():
    store = MemoryStore(8)
    import_into(store, RatingInput(ALIEN, 7, ago(5)))
    imported = import_into(store, RatingInput(ALIEN, 3, ago(6)))
    assert kinds(imported) == ["unchanged"]
    assert opinions(store) == [(ALIEN, 7)]
    assert imported.position == log(store)[0].position


def test_imported_rating_does_not_undo_a_later_withdrawal():
    store = MemoryStore(8)
    for command in (RateMovie(ANN, ALIEN, 7), WithdrawRating(ANN, ALIEN)):
        handle(command, rating, store, origin=ORIGIN)
    assert kinds(import_into(store, RatingInput(ALIEN, 3, ago(6)))) == ["unchanged"]
    assert kinds(import_into(store, RatingInput(ALIEN, 3))) == ["taken"]


def test_empty_import_answers_with_the_partitions_start():
    store = MemoryStore(8)
    assert import_into(store).position.offset == 0
    assert sum(store.heads()) == 0


def test_import_plans_again_when_a_stream_moved():
    store = Racing(1)
    imported = import_into(store, RatingInput(ALIEN, 9), RatingInput(HEAT, 8))
    assert kinds(imported) == ["taken", "taken"]
    assert [it.event.previous for it in log(store)] == [None, 1, None]


def test_import_gives_up_when_streams_always_move():
    with pytest.raises(WrongExpectedVersion):
        import_into(Racing(MAX_ATTEMPTS), RatingInput(ALIEN, 9))


class Racing(MemoryStore):
    """A store in which a rival appends first, a given number of times."""

    def __init__(self, rivals: int) -> None:
        super().__init__(partitions=8)
        self._rivals = rivals

    def append_many(self, entries, *, origin):
        if self._rivals:
            self._rivals -= 1
            event = MovieRated(user_id=ANN, movie_id=ALIEN, score=1 + self._rivals)
            rival = [entry._replace(event=event) for entry in entries[:1]]
            super().append_many(rival, origin=origin)
        return super().append_many(entries, origin=origin)


@pytest.mark.parametrize(
    ("brought", "fields"),
    [
        (RatingInput(ALIEN, 7, NOW), []),
        (RatingInput(ALIEN, 7, EARLIEST), []),
        (RatingInput(HEAT, 7), ["movie_id"]),
        (RatingInput(ALIEN, 7, NOW + timedelta(minutes=1)), []),
        (RatingInput(ALIEN, 7, NOW + timedelta(minutes=1, microseconds=1)), ["rated_at"]),
        (RatingInput(ALIEN, 7, EARLIEST - timedelta(microseconds=1)), ["rated_at"]),
        (RatingInput(HEAT, 7, datetime.max.replace(tzinfo=UTC)), ["movie_id", "rated_at"]),
    ],
)
def test_import_rejects_invalid_ratings(brought, fields):
    result = reject_invalid(brought, movies={ALIEN: False}, now=NOW)
    assert [error.field for error in (result.errors if result else ())] == fields


lists = st.lists(
    st.builds(
        RatingInput,
        st.integers(1, 5),
        st.integers(1, 10),
        st.none() | st.integers(0, 9).map(ago),
    ),
    max_size=30,
)


@given(lists, lists)
def test_import_of_the_same_list_again_changes_nothing(before, ratings):
    store = MemoryStore(8)
    import_into(store, *before)
    first = import_into(store, *ratings)
    heads = list(store.heads())
    repeated = import_into(store, *ratings)
    assert list(store.heads()) == heads
    assert "taken" not in kinds(repeated)
    assert len(repeated.outcomes) == len(first.outcomes) == len(ratings)
    assert kinds(first).count("taken") <= len({it.movie_id for it in ratings})
