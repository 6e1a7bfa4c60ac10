"""Index directory: the files of a tantivy index, shared by the processes of one machine.

Any process may write: it takes tantivy's lock on the directory for one commit, which costs a third
of a millisecond. A process that is killed loses the lock and what it had not committed. A reader
reopens the index when the list of its files was replaced.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import tantivy

from projectors.read_models.search.engine import IndexIdentity, IndexUnavailable
from projectors.read_models.search.on_tantivy import schema

_HEAP_BYTES = 15_000_000  # the least that a writer takes
_LOCK_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


class IndexDirectory:
    """The directory of an index, and this process's open searcher."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open_index: tuple[tuple[int, int], tantivy.Searcher] | None = None
        """The searcher, and which list of files it was opened with."""

    def searcher(self) -> tantivy.Searcher:
        """The index as it is now; raises IndexUnavailable if it is missing or unreadable."""
        with reaching():
            found = (self._directory / "meta.json").stat()
            list_of_files = found.st_ino, found.st_mtime_ns
            if self._open_index is None or self._open_index[0] != list_of_files:
                self._open_index = list_of_files, _opened(self._directory).searcher()
        return self._open_index[1]

    def create(self, mark: IndexIdentity) -> None:
        """Create an index with nothing but its identity; it appears atomically."""
        with reaching():
            path = self._aside("new")
            path.mkdir(parents=True)
            try:
                with _writing(tantivy.Index(schema.SCHEMA, path=str(path))) as writer:
                    writer.add_document(schema.of_mark(mark))
                self.drop()
                path.rename(self._directory)
            finally:
                shutil.rmtree(path, ignore_errors=True)

    def drop(self) -> None:
        """Remove it atomically, if it exists."""
        path = self._aside("old")
        with reaching():
            try:
                self._directory.rename(path)
            except FileNotFoundError:
                return
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def commit(self) -> Iterator[tuple[tantivy.IndexWriter, tantivy.Searcher]]:
        """Commit what the block writes, all or nothing.

        No other process writes during the block, so the searcher is current.
        """
        with reaching():
            index = _opened(self._directory)
            with _writing(index) as writer:
                index.reload()
                yield writer, index.searcher()

    def _aside(self, what: str) -> Path:
        return self._directory.with_name(f".{self._directory.name}-{what}-{uuid4().hex}")


@contextmanager
def reaching() -> Iterator[None]:
    """Turn file errors into IndexUnavailable."""
    try:
        yield
    except (OSError, ValueError) as error:  # tantivy has no errors of its own
        raise IndexUnavailable(f"The search index can't be used: {error}") from error


def _opened(directory: Path) -> tantivy.Index:
    index = tantivy.Index.open(str(directory))
    index.config_reader("manual")
    return index


@contextmanager
def _writing(index: tantivy.Index) -> Iterator[tantivy.IndexWriter]:
    writer = _locked(index)
    try:
        yield writer
        writer.commit()
    except BaseException:
        writer.rollback()
        raise
    finally:
        writer.wait_merging_threads()  # and so gives back the lock


def _locked(index: tantivy.Index) -> tantivy.IndexWriter:
    """Return a writer as soon as no other process writes."""
    deadline = monotonic() + _LOCK_SECONDS
    while True:
        try:
            return index.writer(_HEAP_BYTES, num_threads=1)
        except ValueError as error:
            if "LockBusy" not in str(error) or monotonic() >= deadline:
                raise
        sleep(_PAUSE_SECONDS)
