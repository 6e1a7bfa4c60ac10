"""Search builder: the index follows the state through crashes, races and loss."""

import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from events.catalogue import (
    Credit,
    MovieDetailed,
    MovieRated,
    MovieRestored,
    MovieWithdrawn,
    SessionsRevoked,
)
from projectors.read_models.search.builder import SearchBuilder, flush, recreate_index
from projectors.read_models.search.engine import IndexUnavailable, VersionedDocument
from projectors.read_models.search.query import SearchQuery
from tests.contracts.search.conftest import AT

NOW = datetime.now(UTC)


def dirty(search):
    return search.redis.smembers(search.all.derived("dirty"))


def test_flush_reaches_checkpoint_and_clears_marks(library):
    library.add("Alien", "Heat")
    library.rate(1, 8)
    assert (library.search.built(0), dirty(library.search)) == (0, {b"1", b"2"})
    flush(library.search)
    assert (library.search.built(0), dirty(library.search)) == (3, set())
    assert library.search.index.count() == 2


def test_unrelated_events_count_as_built(library):
    library.add("Alien")
    library.take(SessionsRevoked(user_id=UUID(int=1), epoch=1))
    flush(library.search)
    assert library.search.built(0) == 2


def test_movie_with_votes_only_is_indexed_once_details_arrive(library):
    library.rate(1, 10, 8)
    assert library.found() == []
    library.add("Alien")
    assert library.found(min_score=9) == ["Alien"]


def test_write_during_flush_keeps_its_mark(library, monkeypatch):
    library.add("Alien")
    put = library.search.index.put

    def put_late(documents: list[VersionedDocument]) -> None:
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


def test_older_revision_does_not_replace_newer_document(library):
    library.add("Alien")
    [source] = library.search.document_sources([1])
    library.rate(1, 10)
    flush(library.search)
    library.search.index.put([VersionedDocument(1, source.revision, source.document())])
    assert library.search.index.get([1])[1][0] == 2
    assert library.found(min_score=10) == ["Alien"]


def test_lost_index_is_refilled(library):
    library.add("Alien", "Heat")
    flush(library.search)
    library.search.index.drop()
    with pytest.raises(IndexUnavailable):
        library.search.search(SearchQuery())
    flush(library.search)
    assert library.search.index.count() == 2
    assert library.search.built(0) == 2


def test_index_created_by_another_is_recreated(library, make_index):
    library.add("Alien")
    flush(library.search)
    other = make_index(1)
    other.create()
    other.put(
        [VersionedDocument(77, 1, library.search.document_sources([1])[0].document() | {"id": 77})]
    )
    assert library.found("alien") == ["<em>Alien</em>"]
    assert sorted(library.search.index.movies()) == [1]


def test_search_sees_writes_of_another_process(library, make_index):
    library.add("Alien")
    flush(library.search)
    assert library.search.index.count() == 1
    other = make_index(1)
    other.put(
        [VersionedDocument(77, 1, library.search.document_sources([1])[0].document() | {"id": 77})]
    )
    other.refresh()
    assert sorted(library.search.index.movies()) == [1, 77]
    assert (library.search.index.count(), other.count()) == (2, 2)


def test_generations_have_separate_indexes(make_search, library):
    library.add("Alien")
    other = make_search(2)
    flush(other)
    flush(library.search)
    assert (other.index.count(), library.search.index.count()) == (0, 1)


def test_check_reports_wrong_documents(library, monkeypatch):
    monkeypatch.setattr("projectors.read_models.search.builder._PATIENCE_SECONDS", 0)
    library.add("Alien", "Heat", "Up")
    builder = SearchBuilder(library.search)
    assert builder.check(NOW) == []
    [source] = library.search.document_sources([1])
    library.search.index.put(
        [
            VersionedDocument(1, source.revision, source.document() | {"votes": 5}),
            VersionedDocument(77, 1, source.document() | {"id": 77}),
        ]
    )
    assert builder.check(NOW) == [
        "document of movie 1 differs from the state",
        "document of movie 77 belongs to no known movie",
    ]


def test_builder_rests_longer_after_long_flush(library):
    builder = SearchBuilder(library.search)
    builder.build(AT)
    assert 0.3 <= builder.pause_seconds <= 2.0


def test_index_does_not_depend_on_batch_size(make_search, library):
    events = [
        MovieRated(user_id=UUID(int=1), movie_id=1, score=5),
        MovieRated(user_id=UUID(int=1), movie_id=1, score=5, previous=5),
    ]
    library.take(*events)
    other = type(library)(make_search(2))
    for event in events:
        other.take(event)
    assert library.search.document_sources([1]) == other.search.document_sources([1])


def test_index_is_filled_only_once_complete(library, monkeypatch):
    library.add("Alien", "Heat")
    assert not library.search.is_filled()
    flush(library.search)
    assert library.search.is_filled()
    library.rate(1, 8)
    assert library.search.is_filled()  # an older document is better than none
    library.search.index.drop()
    put = library.search.index.put

    def put_and_look(documents):
        assert not library.search.is_filled()
        put(documents)

    monkeypatch.setattr(library.search.index, "put", put_and_look)
    flush(library.search)
    assert library.search.is_filled()
    assert library.search.index.count() == 2


def test_builder_of_replaced_index_does_not_mark_new_one_filled(library, make_index, monkeypatch):
    """Another worker's builder starts while this one is at work."""
    library.add("Alien", "Heat")
    put = library.search.index.put

    def put_into_what_is_lost(documents):
        put(documents)
        monkeypatch.undo()
        library.search.index.drop()
        recreate_index(library.search)

    monkeypatch.setattr(library.search.index, "put", put_into_what_is_lost)
    with pytest.raises(IndexUnavailable):
        flush(library.search)
    assert not library.search.is_filled()
    assert (library.search.built(0), dirty(library.search)) == (0, {b"1", b"2"})
    assert library.found("alien") == ["<em>Alien</em>"]
    assert library.search.is_filled()


def test_empty_index_is_filled(library):
    flush(library.search)
    assert library.search.is_filled()


def stamp(search):
    return search.redis.get(search.stamp_key)


def shown(search):
    return search.redis.hgetall(search.shown_key)


def test_document_keeps_extended_details(library):
    library.add("Alien", "Heat")
    library.take(
        MovieDetailed(
            movie_id=1,
            released_on=date(1979, 5, 25),
            crew=(Credit("Ridley Scott", "Director"),),
            titles={"fr": "Alien, le huitième passager"},
        )
    )
    flush(library.search)
    assert json.loads(library.search.extended_details(1)) == {
        "released_on": "1979-05-25",
        "crew": [{"name": "Ridley Scott", "job": "Director"}],
        "keywords": [],
        "titles": {"fr": "Alien, le huitième passager"},
    }
    assert json.loads(library.search.extended_details(2)) == {
        "crew": [],
        "keywords": [],
        "titles": {},
    }
    assert library.search.extended_details(3) is None
    assert SearchBuilder(library.search).check(NOW) == []
    assert library.found("passager") == []


def test_search_version_changes_between_refresh_and_built_offset(library, monkeypatch):
    """Cached answers are invalid after the refresh and before the built offset moves."""
    library.add("Alien", "Heat")
    flush(library.search)
    first = stamp(library.search)
    assert (first is not None, shown(library.search)) == (True, {b"1": b"1", b"2": b"1"})
    flush(library.search)
    assert stamp(library.search) == first
    library.rate(1, 8)
    refresh = library.search.index.refresh

    def refresh_and_look():
        assert (stamp(library.search), shown(library.search)[b"1"]) == (first, b"1")
        return refresh()

    def clean_and_look(*_):
        assert (stamp(library.search) != first, shown(library.search)[b"1"]) == (True, b"2")
        assert library.search.built(0) == 2

    monkeypatch.setattr(library.search.index, "refresh", refresh_and_look)
    monkeypatch.setattr("projectors.read_models.search.builder._clear_marks", clean_and_look)
    flush(library.search)
    assert library.search.built(0) == 3


def test_lost_search_version_is_recreated(library):
    library.add("Alien")
    flush(library.search)
    library.search.redis.delete(library.search.stamp_key)
    flush(library.search)
    assert stamp(library.search) is not None


def test_withdrawn_movie_is_replaced_by_tombstone(library):
    library.add("Alien", "Heat", genres=["Crime"])
    library.rate(1, 9)
    flush(library.search)
    library.take(MovieWithdrawn(movie_id=1, reason="a double"))
    assert library.found() == ["Heat"]
    assert library.found("alien") == library.found("weaver") == []
    assert library.found(genres=("Crime",)) == ["Heat"]
    assert library.found(min_score=1) == []
    page = library.search.search(SearchQuery())
    assert (page.total, [it.count for it in page.genres]) == (1, [1])
    assert library.search.index.count() == 1
    assert list(library.search.index.movies()) == [2]
    assert library.search.index.get([1]) == {1: (3, {"id": 1})}
    assert SearchBuilder(library.search).check(NOW) == []
    library.rate(1, 10)
    assert library.found("alien") == []
    library.take(MovieRestored(movie_id=1))
    assert library.found("alien", min_score=9) == ["<em>Alien</em>"]
    assert SearchBuilder(library.search).check(NOW) == []


def test_delayed_flush_does_not_restore_withdrawn_movie(library):
    library.add("Alien")
    [source] = library.search.document_sources([1])
    library.take(MovieWithdrawn(movie_id=1, reason="a double"))
    flush(library.search)
    library.search.index.put([VersionedDocument(1, source.revision, source.document())])
    assert library.found("alien") == []


def test_refilled_index_has_tombstones(library):
    library.add("Alien", "Heat")
    library.take(MovieWithdrawn(movie_id=1, reason="a double"))
    flush(library.search)
    library.search.index.drop()
    assert library.found() == ["Heat"]
    assert SearchBuilder(library.search).check(NOW) == []
