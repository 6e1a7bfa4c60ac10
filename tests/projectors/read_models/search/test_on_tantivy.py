"""tantivy index: commits, locks, crashes and pitfalls of the library."""

import shutil
import signal
import subprocess
import sys
import textwrap
from threading import Event, Thread
from uuid import UUID

import pytest
import tantivy

from events.catalogue import MovieDescribed, SessionsRevoked
from projectors.read_models.search.builder import flush
from projectors.read_models.search.engine import IndexIdentity, IndexUnavailable
from projectors.read_models.search.on_tantivy import index_directory, schema
from projectors.read_models.search.on_tantivy.index import TantivyIndex
from projectors.read_models.search.query import SearchQuery
from projectors.read_models.search.read_model import Search
from tests.contracts.search.conftest import Library
from tests.projectors.read_models.search.conftest import written


def ids(index, q="", **query):
    return [hit.id for hit in index.search(SearchQuery(q=q, limit=100, **query)).items]


def test_rewritten_document_exists_once(index):
    for revision in range(1, 12):
        index.put([written(1, "Alien", revision=revision), written(2, "Heat", revision=revision)])
    assert (index.count(), sorted(ids(index))) == (2, [1, 2])
    assert index.search(SearchQuery(q="alien")).total == 1
    assert {movie: revision for movie, (revision, _) in index.get([1, 2, 3]).items()} == {
        1: 11,
        2: 11,
    }


def test_document_twice_in_one_commit_exists_once(index):
    index.put([written(1, "Alein"), written(1, "Alien", revision=2)])
    assert index.count() == 1
    assert ids(index, "alien") == [1]


def test_prefix_of_many_words_matches_all(index):
    letters = "abcdefghijklmnopqrstuvwxyz"
    titles = [f"Star {'wa' + one + other}" for one in "abcd" for other in letters]
    index.put([written(nth, title) for nth, title in enumerate(titles, start=1)])
    assert index.search(SearchQuery(q="star wa")).total == len(titles) == 104
    assert index.search(SearchQuery(q="wa")).total == 104


def test_query_syntax_is_plain_text(index):
    index.put([written(1, "Alien"), written(2, "...")])
    for q in ("a.*", "al[i]en", "(a|b)", "\\", "a{2}", "^a", '"alien', "title:alien AND", "*"):
        assert 2 not in ids(index, q)


def test_typo_in_first_letter_does_not_match(index):
    index.put([written(1, "Heat"), written(2, "Head"), written(3, "Beat"), written(4, "Hat")])
    assert ids(index, "heat") == [1, 2, 4]


def test_identity_document_is_no_movie(index):
    assert (index.count(), sorted(index.movies()), ids(index)) == (0, [], [])
    index.put([written(1, "Mark")])
    assert (index.count(), sorted(index.movies()), ids(index, "mark")) == (1, [1], [1])
    page = index.search(SearchQuery())
    assert (page.total, page.decades, page.genres) == (1, (), ())


def test_identity_counts_commits(index):
    before = index.identity()
    index.put([written(1, "Alien")])
    index.put([])
    index.put([written(1, "Alien", revision=2)])
    assert before.writes == 0
    assert index.identity() == IndexIdentity(before.uuid, writes=2)
    assert index.refresh() == 2


def test_unreadable_index_has_no_identity(index, index_path):
    index.put([written(1, "Alien")])
    (index_path / "meta.json").write_text("{")
    broken = TantivyIndex(index_path)
    assert broken.identity() is None
    with pytest.raises(IndexUnavailable):
        broken.search(SearchQuery())
    with pytest.raises(IndexUnavailable):
        broken.put([written(2, "Heat")])
    broken.create()
    assert broken.count() == 0


def test_failed_commit_changes_nothing(index):
    index.put([written(1, "Alien")])
    broken = written(3, "Up")
    broken.document["votes"] = None
    with pytest.raises(Exception, match="None"):
        index.put([written(2, "Heat"), broken])
    assert (index.identity().writes, sorted(index.movies())) == (1, [1])
    index.put([written(2, "Heat")])
    assert sorted(index.movies()) == [1, 2]


def test_writer_waits_for_another(index, index_path):
    entered, leave = Event(), Event()

    def write():
        with index_directory.IndexDirectory(index_path).commit():
            entered.set()
            leave.wait(30)

    writer = Thread(target=write)
    writer.start()
    entered.wait(30)
    second = Thread(target=index.put, args=([written(1, "Alien")],))
    second.start()
    leave.set()
    for thread in (writer, second):
        thread.join(30)
    assert sorted(index.movies()) == [1]


def test_writer_lock_times_out(index, index_path, monkeypatch):
    monkeypatch.setattr(index_directory, "_LOCK_SECONDS", 0)
    with (
        index_directory.IndexDirectory(index_path).commit(),
        pytest.raises(IndexUnavailable, match="LockBusy"),
    ):
        index.put([written(1, "Alien")])
    index.put([written(1, "Alien")])
    assert index.count() == 1


def test_killed_writer_releases_its_lock(index, index_path):
    index.put([written(1, "Alien")])
    program = """
        import sys, time
        from pathlib import Path
        from projectors.read_models.search.on_tantivy.index_directory import IndexDirectory
        from projectors.read_models.search.on_tantivy import schema
        with IndexDirectory(Path(sys.argv[1])).commit() as (writer, _):
            writer.delete_documents_by_term(schema.KEY, "1")
            print("writing", flush=True)
            time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(index_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    index.put([written(2, "Heat")])
    assert sorted(index.movies()) == [1, 2]


def test_readers_see_whole_commits_only(index):
    """Also while segments are merged and deleted."""
    done = Event()
    counts = []

    def read():
        while not done.is_set():
            counts.append(index.search(SearchQuery(q="alien")).total)

    reader = Thread(target=read)
    reader.start()
    for nth in range(25):
        index.put([written(movie, "Alien", revision=nth + 1) for movie in (1, 2, 3)])
    done.set()
    reader.join(30)
    assert set(counts) <= {0, 3}
    assert counts == sorted(counts)


def test_restored_backup_has_fewer_writes(index, index_path, tmp_path):
    index.put([written(1, "Alien")])
    shutil.copytree(index_path, tmp_path / "copy")
    index.put([written(2, "Heat")])
    index.drop()
    shutil.copytree(tmp_path / "copy", index_path)
    assert index.identity().writes == 1
    assert sorted(index.movies()) == [1]


def test_create_and_drop_leave_no_files(index, index_path):
    index.put([written(1, "Alien")])
    index.create()
    assert [path.name for path in index_path.parent.iterdir()] == [index_path.name]
    index.drop()
    index.drop()
    assert list(index_path.parent.iterdir()) == []
    with pytest.raises(IndexUnavailable):
        index.count()


def test_delete_by_unsigned_number_deletes_nothing():
    """If this fails, tantivy is fixed and a number can be the key."""
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", indexed=True)
    index = tantivy.Index(builder.build())
    for _ in range(2):
        writer = index.writer(15_000_000, 1)
        writer.delete_documents_by_term("id", 7)
        document = tantivy.Document()
        document.add_unsigned("id", 7)
        writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
    index.reload()
    assert index.searcher().num_docs == 2


def test_first_letters_are_repeated():
    assert schema.guard_first_letters("the heat") == "ttthe hhheat"
    assert schema.guard_first_letters("") == ""


def test_index_restored_from_backup_is_refilled(index, index_path, redis, tmp_path):
    library = Library(Search(redis, 1, index=index))
    library.add("Alien")
    flush(library.search)
    shutil.copytree(index_path, tmp_path / "backup")
    library.take(MovieDescribed(movie_id=1, title="Heat", year=1995))
    library.add("Up")
    flush(library.search)
    index.drop()
    shutil.copytree(tmp_path / "backup", index_path)
    flush(library.search)
    assert library.search.built(0) == 3
    assert library.found("heat") == ["<em>Heat</em>"]
    assert library.search.index.count() == 2
    assert library.found("alien") == []


def test_unrelated_events_write_nothing_to_index(index, redis):
    library = Library(Search(redis, 1, index=index))
    library.add("Alien")
    flush(library.search)
    writes = index.identity().writes
    library.take(SessionsRevoked(user_id=UUID(int=1), epoch=1))
    flush(library.search)
    flush(library.search)
    assert (library.search.built(0), index.identity().writes) == (2, writes)


def test_concurrent_flush_does_not_overwrite_newer_document(index, index_path, redis, monkeypatch):
    slow, library = (
        Search(redis, 1, index=index),
        Library(Search(redis, 1, index=TantivyIndex(index_path))),
    )
    library.add("Alien")
    put = index.put

    def put_late(documents):
        library.rate(1, 10)
        flush(library.search)
        put(documents)

    monkeypatch.setattr(index, "put", put_late)
    flush(slow)
    assert index.get([1])[1][0] == 2
    assert library.found(min_score=10) == ["Alien"]
