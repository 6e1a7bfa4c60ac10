"""Builder of the neighbour lists.

About once a second, it updates the lists of touched movies and of their neighbours. While a
catalogue is imported, it waits until the import ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import ClassVar

import msgspec
from redis.client import Pipeline

from projectors.building.dirty_marks import DirtyBatch, DirtyMarks, note_built
from projectors.building.duty_cycle import DutyCycle
from projectors.read_models.similarity.incremental_update import NeighbourLists
from projectors.read_models.similarity.neighbour import Neighbour
from projectors.read_models.similarity.projection import ContentFeatures
from projectors.read_models.similarity.read_model import Similarity, encode_features
from projectors.storage import replies
from projectors.verification.derived import Differences, compare, unequal

_INTERVAL_SECONDS = 60.0
_IMPORT_POLL_SECONDS = 1.0
_IMPORTED_AT_ONCE = 200
"""New movies since the last build by which an import is recognised."""
_AT_ONCE = 500

_pack = msgspec.msgpack.Encoder().encode


class SimilarityBuilder(DutyCycle):
    """Keeps the neighbour lists. Holds all likes and all movies' genres in memory."""

    name: ClassVar[str] = Similarity.name
    interval_seconds = _INTERVAL_SECONDS

    def __init__(self, similarity: Similarity) -> None:
        super().__init__(pause_seconds=0.5)
        self._similarity = similarity
        self._marks = DirtyMarks(similarity.redis, similarity.all, "likes", "facts")
        self._neighbour_lists: NeighbourLists | None = None
        self._likes: frozenset[int] = frozenset()
        self._facts: frozenset[int] = frozenset()

    def build(self, now: datetime) -> None:
        with self.working():
            self._build(self._marks.take())

    def check(self, now: datetime) -> list[str]:
        """Compare the lists with likes and genres; one line for each difference."""
        return compare(self._similarity, self._differences)

    def _build(self, batch: DirtyBatch) -> None:
        likes, facts = batch.touched
        self._likes, self._facts = self._likes | likes, self._facts | facts
        if not batch.is_continued:
            self._neighbour_lists = None
        if len(facts) > _IMPORTED_AT_ONCE:
            self.interval_seconds = _IMPORT_POLL_SECONDS
            with self._marks.commit():
                return  # the marks taken are kept in memory for a later build
        self.interval_seconds = _INTERVAL_SECONDS
        with self._marks.commit() as pipe:
            if self._neighbour_lists is None:
                self._build_all(pipe)
            else:
                self._build_touched(pipe, self._neighbour_lists)
            note_built(pipe, self._similarity.all, batch.checkpoints, late=batch.late)
        self._likes = self._facts = frozenset()

    def _build_all(self, pipe: Pipeline) -> None:
        neighbour_lists = self._neighbour_lists = self._read()
        pipe.delete(self._similarity.lists_key, self._similarity.alike_key)
        _write(pipe, self._similarity.lists_key, _by_movie(neighbour_lists, neighbour_lists.own))
        _write(pipe, self._similarity.alike_key, _by_facts(neighbour_lists, neighbour_lists.alike))

    def _build_touched(self, pipe: Pipeline, neighbour_lists: NeighbourLists) -> None:
        similarity = self._similarity
        own, alike = neighbour_lists.update(
            similarity.features_of(sorted(self._facts)), similarity.likers_of(sorted(self._likes))
        )
        _write(pipe, similarity.lists_key, _by_movie(neighbour_lists, own))
        _write(pipe, similarity.alike_key, _by_facts(neighbour_lists, alike))

    def _read(self) -> NeighbourLists:
        similarity = self._similarity
        return NeighbourLists(
            dict(similarity.all_features()), similarity.likers_of(similarity.liked_movies())
        )

    def _differences(self) -> Differences:
        expected = self._read()
        by_movie = _by_movie(expected, expected.own), self._similarity.lists_key
        by_facts = _by_facts(expected, expected.alike), self._similarity.alike_key
        return {
            f"the neighbours of {name.decode()} differ from those computed from likes and"
            " genres": values
            for lists, key in (by_movie, by_facts)
            for name, values in unequal(replies.hgetall(self._similarity.redis, key), lists).items()
        }


def _by_movie(neighbour_lists: NeighbourLists, movies: Iterable[int]) -> dict[bytes, bytes | None]:
    return {str(movie).encode(): _packed(neighbour_lists.own.get(movie)) for movie in movies}


def _by_facts(
    neighbour_lists: NeighbourLists, facts: Iterable[ContentFeatures]
) -> dict[bytes, bytes | None]:
    return {
        encode_features(features): _packed(neighbour_lists.alike.get(features))
        for features in facts
    }


def _packed(neighbours: Sequence[Neighbour] | None) -> bytes | None:
    return None if neighbours is None else _pack(neighbours)


def _write(pipe: Pipeline, key: str, lists: Mapping[bytes, bytes | None]) -> None:
    rest = iter(lists.items())
    while some := list(islice(rest, _AT_ONCE)):
        if gone := [name for name, packed in some if packed is None]:
            pipe.hdel(key, *gone)
        changed = [part for name, packed in some if packed is not None for part in (name, packed)]
        if changed:
            pipe.hset(key, items=changed)
