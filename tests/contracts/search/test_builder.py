"""Does the index have what the state says, whatever happens in between?"""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from events.catalogue import MovieRated, SessionsRevoked
from projectors.search.builder import SearchBuilder, flush
from projectors.search.engine import IndexAway, Versioned
from projectors.search.query import SearchQuery
from tests.contracts.search.conftest import AT

NOW = datetime.now(UTC)


def dirty(search):
    return search.redis.smembers(search.all.derived("dirty"))


def test_a_flush_reaches_the_checkpoint_and_leaves_no_mark(library):
    library.add("Alien", "Heat")
    library.rate(1, 8)
    assert (library.search.built(0), dirty(library.search)) == (0, {b"1", b"2"})
    flush(library.search)
    assert (library.search.built(0), dirty(library.search)) == (3, set())
    assert library.search.count() == 2


def test_events_about_something_else_count_as_built(library):
    library.add("Alien")
    library.take(SessionsRevoked(user_id=UUID(int=1), epoch=1))
    flush(library.search)
    assert library.search.built(0) == 2


def test_a_movie_of_which_only_votes_are_known_waits_for_its_details(library):
    library.rate(1, 10, 8)
    assert library.found() == []
    library.add("Alien")
    assert library.found(min_score=9) == ["Alien"]


def test_a_write_between_reading_and_clearing_stays_marked(library, monkeypatch):
    library.add("Alien")
    put = library.search.index.put

    def put_late(documents: list[Versioned]) -> None:
        monkeypatch.undo()
        library.rate(1, 10)
        put(documents)

    monkeypatch.setattr(library.search.index, "put", put_late)
    flush(library.search)
    assert dirty(library.search) == {b"1"}
    assert library.search.built(0) == 1
    flush(library.search)
    assert library.search.built(0) == 2
    assert library.found(min_score=10) == ["Alien"]


def test_an_older_document_does_not_replace_a_newer_one(library):
    library.add("Alien")
    [source] = library.search.sources([1])
    library.rate(1, 10)
    flush(library.search)
    library.search.index.put([Versioned(1, source.revision, source.document())])
    assert library.search.index.get([1])[1][0] == 2
    assert library.found(min_score=10) == ["Alien"]


def test_a_lost_index_is_filled_again(library):
    library.add("Alien", "Heat")
    flush(library.search)
    library.search.index.drop()
    with pytest.raises(IndexAway):
        library.search.search(SearchQuery())
    flush(library.search)
    assert library.search.count() == 2
    assert library.search.built(0) == 2


def test_an_index_that_someone_else_made_is_made_anew(library, make_index):
    library.add("Alien")
    flush(library.search)
    other = make_index(1)
    other.create()
    other.put([Versioned(77, 1, library.search.sources([1])[0].document() | {"id": 77})])
    assert library.found("alien") == ["<em>Alien</em>"]
    assert sorted(library.search.index.movies()) == [1]


def test_what_another_process_writes_is_seen(library, make_index):
    library.add("Alien")
    flush(library.search)
    assert library.search.count() == 1
    other = make_index(1)
    other.put([Versioned(77, 1, library.search.sources([1])[0].document() | {"id": 77})])
    other.refresh()
    assert sorted(library.search.index.movies()) == [1, 77]
    assert (library.search.count(), other.count()) == (2, 2)


def test_generations_do_not_meet(make_search, library):
    library.add("Alien")
    other = make_search(2)
    flush(other)
    flush(library.search)
    assert (other.count(), library.search.count()) == (0, 1)


def test_a_check_finds_what_is_wrong(library, monkeypatch):
    monkeypatch.setattr("projectors.search.builder._PATIENCE_SECONDS", 0)
    library.add("Alien", "Heat", "Up")
    builder = SearchBuilder(library.search, 1)
    assert builder.check(NOW) == []
    [source] = library.search.sources([1])
    library.search.index.put(
        [
            Versioned(1, source.revision, source.document() | {"votes": 5}),
            Versioned(77, 1, source.document() | {"id": 77}),
        ]
    )
    assert builder.check(NOW) == [
        "document of movie 1 is not what the state says",
        "document of movie 77 should not be there",
    ]


def test_rests_longer_after_long_work(library):
    builder = SearchBuilder(library.search, 1)
    builder.build(AT)
    assert 0.3 <= builder.pause_seconds <= 2.0


def test_the_size_of_batches_does_not_show(make_search, library):
    events = [
        MovieRated(user_id=UUID(int=1), movie_id=1, score=5),
        MovieRated(user_id=UUID(int=1), movie_id=1, score=5, previous=5),
    ]
    library.take(*events)
    other = type(library)(make_search(2))
    for event in events:
        other.take(event)
    assert library.search.sources([1]) == other.search.sources([1])
