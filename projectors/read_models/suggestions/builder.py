"""Builder of the suggestion lists.

Every two seconds at most, it updates the lists of new movies and changed rating counts. It rebuilds
all lists when a title changed or a movie was withdrawn.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import ClassVar

from redis.client import Pipeline

from projectors.building.dirty_marks import DirtyBatch, DirtyMarks, note_built
from projectors.building.duty_cycle import DutyCycle
from projectors.read_models.suggestions.prefix_index import PrefixIndex
from projectors.read_models.suggestions.query_normalisation import indexed_forms
from projectors.read_models.suggestions.read_model import Suggestions, pack_list
from projectors.read_models.suggestions.spelling import ENTRY_MARK, SpellingIndex
from projectors.storage import replies
from projectors.verification.derived import Differences, compare, unequal

_INTERVAL_SECONDS = 60.0
_IMPORT_POLL_SECONDS = 1.0
_IMPORTED_AT_ONCE = 200
"""New titles since the last build by which an import is recognised."""
_AT_ONCE = 500
_FEW_NEW = 1000
"""Inserting this many new titles takes 0.5 s; building all of 36,000 takes 1.3 s."""


class SuggestionsBuilder(DutyCycle):
    """Keeps the lists of all prefixes. Holds all titles in memory."""

    name: ClassVar[str] = Suggestions.name
    interval_seconds = _INTERVAL_SECONDS

    def __init__(self, suggestions: Suggestions) -> None:
        super().__init__(pause_seconds=2.0)
        self._suggestions = suggestions
        self._marks = DirtyMarks(suggestions.redis, suggestions.all, "titles", "people")
        self._index: PrefixIndex | None = None
        self._spelling = SpellingIndex(())
        self._titles: frozenset[int] = frozenset()
        self._people: frozenset[int] = frozenset()

    def build(self, now: datetime) -> None:
        with self.working():
            self._build(self._marks.take())

    def check(self, now: datetime) -> list[str]:
        """Compare the lists with titles and rating counts; one line for each difference."""
        return compare(self._suggestions, self._differences)

    def _build(self, batch: DirtyBatch) -> None:
        titles, people = batch.touched
        self._titles, self._people = self._titles | titles, self._people | people
        if not batch.is_continued or len(self._titles) > _FEW_NEW:
            self._index = None
        if len(titles) > _IMPORTED_AT_ONCE:
            self.interval_seconds = _IMPORT_POLL_SECONDS
            with self._marks.commit():
                return  # the marks taken are kept in memory for a later build
        self.interval_seconds = _INTERVAL_SECONDS
        with self._marks.commit() as pipe:
            if self._index is None or not self._build_touched(pipe, self._index):
                self._build_all(pipe)
            note_built(pipe, self._suggestions.all, batch.checkpoints, late=batch.late)
        self._titles = self._people = frozenset()

    def _build_all(self, pipe: Pipeline) -> None:
        index = self._index = self._read()
        self._spelling = SpellingIndex(index.all_forms())
        pipe.delete(self._suggestions.lists_key)
        self._write_lists(pipe, index, index.lists)
        self._write(pipe, self._spelling.entries, self._spelling.pack)

    def _build_touched(self, pipe: Pipeline, index: PrefixIndex) -> bool:
        """Update the lists of touched movies; False if all must be rebuilt."""
        suggestions = self._suggestions
        titles = suggestions.titles_of(sorted(self._titles))
        if index.has_any(self._titles - {title.id for title in titles}):
            return False
        new = [title.title for title in titles if title.id not in index.titles]
        added = index.add(titles)
        if added is None:
            return False
        changed = {*added, *index.update(suggestions.rating_counts_of(sorted(self._people)))}
        self._write_lists(pipe, index, changed)
        entries = self._spelling.add(form for title in new for form in indexed_forms(title))
        self._write(pipe, entries, self._spelling.pack)
        return True

    def _read(self) -> PrefixIndex:
        return PrefixIndex(self._suggestions.all_titles(), self._suggestions.all_rating_counts())

    def _write_lists(self, pipe: Pipeline, index: PrefixIndex, names: Iterable[str]) -> None:
        self._write(pipe, names, lambda name: pack_list(index.suggestions(name)))

    def _write(self, pipe: Pipeline, names: Iterable[str], pack: Callable[[str], bytes]) -> None:
        remaining = iter(names)
        while some := list(islice(remaining, _AT_ONCE)):
            fields = [part for name in some for part in (name, pack(name))]
            pipe.hset(self._suggestions.lists_key, items=fields)

    def _differences(self) -> Differences:
        index = self._read()
        spelling = SpellingIndex(index.all_forms())
        expected = {name.encode(): pack_list(index.suggestions(name)) for name in index.lists}
        expected |= {name.encode(): spelling.pack(name) for name in spelling.entries}
        stored = replies.hgetall(self._suggestions.redis, self._suggestions.lists_key)
        different = unequal(stored, expected).items()
        return {_difference(name.decode()): values for name, values in different}


def _difference(name: str) -> str:
    if name.startswith(ENTRY_MARK):
        return f"the entry {name!r} of the spelling index is wrong"
    return f"the suggestions for {name!r} are not the most popular"
