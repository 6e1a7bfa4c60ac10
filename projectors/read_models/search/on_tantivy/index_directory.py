"""Index directory: the files of a tantivy index, shared by the processes of one machine.

Any process may write: it takes tantivy's lock on the directory for one commit, which costs a third
of a millisecond. A process that is killed loses the lock and what it had not committed. A reader
reopens the index when meta.json, the list of its files, was replaced.
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

_HEAP_BYTES = 15_000_000  # tantivy's minimum
_LOCK_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


class IndexDirectory:
    """The directory of an index, and the searcher that this process has open."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open_searcher: tuple[tuple[int, int], tantivy.Searcher] | None = None
        """The searcher, with inode and time of the meta.json that it was opened with."""

    def searcher(self) -> tantivy.Searcher:
        """The index as it is now; raises IndexUnavailable if it is missing or unreadable."""
        opened = self._open_searcher  # another thread may replace it by an older one
        with translating_errors():
            meta = (self._directory / "meta.json").stat()
            file_version = meta.st_ino, meta.st_mtime_ns
            if opened is None or opened[0] != file_version:
                opened = file_version, _open_index(self._directory).searcher()
                self._open_searcher = opened
        return opened[1]

    def create(self, identity: IndexIdentity) -> None:
        """Create an index with nothing but its identity; it appears atomically."""
        with translating_errors():
            path = self._temporary_path("new")
            path.mkdir(parents=True)
            try:
                with _committing(tantivy.Index(schema.SCHEMA, path=str(path))) as writer:
                    writer.add_document(schema.identity_document(identity))
                self.drop()
                path.rename(self._directory)
            finally:
                shutil.rmtree(path, ignore_errors=True)

    def drop(self) -> None:
        """Remove the index atomically, if it exists."""
        path = self._temporary_path("old")
        with translating_errors():
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
        with translating_errors():
            index = _open_index(self._directory)
            with _committing(index) as writer:
                index.reload()
                yield writer, index.searcher()

    def _temporary_path(self, kind: str) -> Path:
        return self._directory.with_name(f".{self._directory.name}-{kind}-{uuid4().hex}")


@contextmanager
def translating_errors() -> Iterator[None]:
    """Turn file errors into IndexUnavailable."""
    try:
        yield
    except (OSError, ValueError) as error:  # tantivy has no errors of its own
        raise IndexUnavailable(f"The search index can't be used: {error}") from error


def _open_index(directory: Path) -> tantivy.Index:
    index = tantivy.Index.open(str(directory))
    index.config_reader("manual")
    return index


@contextmanager
def _committing(index: tantivy.Index) -> Iterator[tantivy.IndexWriter]:
    writer = _acquire_writer(index)
    try:
        yield writer
        writer.commit()
    except BaseException:
        writer.rollback()
        raise
    finally:
        writer.wait_merging_threads()  # releases the lock


def _acquire_writer(index: tantivy.Index) -> tantivy.IndexWriter:
    """Wait for the directory's lock; return a writer that holds it."""
    deadline = monotonic() + _LOCK_SECONDS
    while True:
        try:
            return index.writer(_HEAP_BYTES, num_threads=1)
        except ValueError as error:
            if "LockBusy" not in str(error) or monotonic() >= deadline:
                raise
        sleep(_PAUSE_SECONDS)
