"""Builder of the search index: flushes the documents of dirty movies.

Dirty are the movies touched since the last flush. A mark is removed only if the flushed revision is
still the current one, so a write in between is never lost. Writing a document twice changes
nothing, and the index itself refuses an older revision.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from time import monotonic, sleep
from typing import ClassVar

from projectors.read_models.search.engine import IndexUnavailable, VersionedDocument
from projectors.read_models.search.read_model import Search
from projectors.storage.shard import read_offsets, script

_CHUNK = 1000  # documents in a bulk, about 400 KB
_PAUSE_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 2.0
_PATIENCE_SECONDS = 10.0

_CLEAN = """
local cleaned = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[i + 1] then
    cleaned = cleaned + redis.call('SREM', KEYS[1], ARGV[i])
  end
end
return cleaned
"""
# Two workers may flush at once: the slower one must not lower the revisions noted by the other.
_ADVANCE = """
for i = 1, #ARGV, 2 do
  local at = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if tonumber(ARGV[i + 1]) > at then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 1
"""
# Nothing is noted if a parked event was applied after the read: it changed the state before these
# offsets.
_BUILT = f"""
if (redis.call('HGET', KEYS[2], 'late') or '') ~= table.remove(ARGV, 1) then return 0 end
{_ADVANCE}"""
_FILLED = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[2], ARGV[1]) end
return 1
"""


class SearchBuilder:
    """The builder of one generation's index."""

    name: ClassVar[str] = Search.name
    interval_seconds: float = 5.0
    pause_seconds: float = _PAUSE_SECONDS

    def __init__(self, model: Search) -> None:
        self._model = model

    def build(self, now: datetime) -> None:
        """Flush; rest at least twice as long as that took, to leave the processor to imports."""
        began = monotonic()
        flush(self._model)
        rest = 2 * (monotonic() - began)
        self.pause_seconds = min(max(_PAUSE_SECONDS, rest), _LONGEST_PAUSE_SECONDS)

    def check(self, now: datetime) -> list[str]:
        """Documents that differ from the state; waits a moment for pending writes."""
        deadline = monotonic() + _PATIENCE_SECONDS
        suspects: Sequence[int] = self._model.known_movies()
        while True:
            flush(self._model)
            suspects = _wrong_documents(self._model, suspects)
            if not suspects or monotonic() >= deadline:
                break
            sleep(_PAUSE_SECONDS)
        return [f"document of movie {movie} differs from the state" for movie in suspects] + [
            f"document of movie {movie} belongs to no known movie"
            for movie in _unknown_documents(self._model)
        ]


def flush(model: Search) -> None:
    """Index the documents of dirty movies. Raises IndexUnavailable; all marks stay then."""
    identity = _ensure_index(model)
    checkpoints, late, dirty = _read_dirty(model)
    flushed = [_index_documents(model, chunk) for chunk in _chunks(dirty)]
    if flushed:
        writes = model.index.refresh()
        script(model.redis, _ADVANCE)(keys=[model.writes_key], args=["index", writes])
        _require_same_index(model, identity)
    _note_shown(model, flushed)
    for revisions in flushed:
        _clear_marks(model, revisions)
    _note_filled(model, identity)
    _note_built(model, checkpoints, late)


def mark_all(model: Search) -> None:
    """Mark all movies dirty: for an empty index."""
    model.redis.delete(model.filled_key, model.all.built_key)
    for chunk in _chunks(model.known_movies()):
        model.redis.sadd(model.dirty_key, *chunk)


def _ensure_index(model: Search) -> str:
    """Return the identity of the index; recreate it unless it is the one that was filled.

    An index restored from an older backup has fewer writes than noted: then all movies are marked.
    """
    filled = model.redis.get(model.index_key)
    writes = int(model.redis.hget(model.writes_key, "index") or 0)
    # Read after those: its number only grows.
    there = model.index.identity()
    if there is None or filled != there.uuid.encode():
        return recreate_index(model)
    if there.writes < writes:
        mark_all(model)
        model.redis.delete(model.writes_key)
    return there.uuid


def recreate_index(model: Search) -> str:
    """Create an empty index, and mark all movies dirty."""
    # First: searches must not find an empty index complete, and a builder that still fills the old
    # one must not note it as this one.
    model.redis.delete(model.filled_key, model.index_key)
    model.index.create()
    model.redis.delete(model.writes_key)
    mark_all(model)
    there = model.index.identity()
    identity = there.uuid if there else ""
    model.redis.set(model.index_key, identity)
    return identity


def _require_same_index(model: Search, identity: str) -> None:
    """Raise IndexUnavailable if the index was lost and recreated by the writes themselves."""
    there = model.index.identity()
    if there is None or there.uuid != identity:
        raise IndexUnavailable("the index was lost while it was written")


def _note_shown(model: Search, flushed: Sequence[Mapping[int, int]]) -> None:
    """Invalidate cached searches, before waiting readers are let through: see docs/adr/0016."""
    advance = script(model.redis, _ADVANCE)
    for revisions in flushed:
        advance(keys=[model.shown_key], args=_flattened(revisions))
    # Random: a counter could repeat a value after Redis was restored from a backup.
    model.redis.set(model.stamp_key, token_hex(8), nx=not flushed)


def _note_filled(model: Search, identity: str) -> None:
    """Note that the index is complete, unless it was recreated meanwhile."""
    script(model.redis, _FILLED)(keys=[model.index_key, model.filled_key], args=[identity])


def _read_dirty(model: Search) -> tuple[Mapping[int, int], bytes, Sequence[int]]:
    with model.redis.pipeline(transaction=True) as pipe:
        pipe.hgetall(model.all.checkpoints_key)
        pipe.hget(model.all.changes_key, "late")
        pipe.smembers(model.dirty_key)
        checkpoints, late, dirty = pipe.execute()
    return read_offsets(checkpoints), late or b"", sorted(map(int, dirty))


def _index_documents(model: Search, movies: Sequence[int]) -> dict[int, int]:
    """Send documents of some movies; return the revisions they were made from."""
    sources = model.document_sources(movies)
    model.index.put(
        [
            VersionedDocument(source.movie, source.revision, document)
            for source in sources
            if (document := source.document()) is not None
        ]
    )
    return {source.movie: source.revision for source in sources}


def _clear_marks(model: Search, revisions: Mapping[int, int]) -> None:
    script(model.redis, _CLEAN)(
        keys=[model.dirty_key, model.all.state("revisions")],
        args=_flattened(revisions),
    )


def _note_built(model: Search, checkpoints: Mapping[int, int], late: bytes) -> None:
    script(model.redis, _BUILT)(
        keys=[model.all.built_key, model.all.changes_key], args=[late, *_flattened(checkpoints)]
    )


def _flattened(numbers: Mapping[int, int]) -> list[int]:
    return [number for pair in numbers.items() for number in pair]


def _wrong_documents(model: Search, movies: Sequence[int]) -> list[int]:
    """Movies whose document is missing or differs from their state."""
    return [movie for chunk in _chunks(movies) for movie in _wrong_in_chunk(model, chunk)]


def _wrong_in_chunk(model: Search, movies: Sequence[int]) -> Iterator[int]:
    written = model.index.get(movies)
    for source in model.document_sources(movies):
        if written.get(source.movie) != (source.revision, source.document()):
            yield source.movie


def _unknown_documents(model: Search) -> list[int]:
    """Movies in the index without any state."""
    model.index.refresh()
    known = set(model.known_movies())
    return [movie for movie in model.index.movies() if movie not in known]


def _chunks(movies: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(movies), _CHUNK):
        yield movies[start : start + _CHUNK]
