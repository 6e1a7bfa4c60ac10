"""Builder of the trending boards and their first pages.

It reads only the touched movies in the touched hours, and writes only boards that look different.
All boards are written once a minute, when an hour ends, when the catalogue changed, and when the
dirty marks are not continued (see ``DirtyMarks``).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from time import monotonic
from typing import ClassVar

import msgspec
from redis.client import Pipeline

from projectors.building.dirty_marks import DirtyMarks, note_built
from projectors.building.duty_cycle import DutyCycle
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.board import MovieHeat, TrendingBoard, by_genre, ranked
from projectors.read_models.trending.external_boards import ExternalBoardBuilder
from projectors.read_models.trending.heat_table import HeatTable
from projectors.read_models.trending.page import paginate, render
from projectors.read_models.trending.projection import hour_of
from projectors.read_models.trending.read_model import Trending, board_name, parse_board_name
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.verification.derived import Differences, compare, unequal

_ALL_SECONDS = 60.0

_pack = msgspec.msgpack.Encoder().encode


class TrendingBuilder(DutyCycle):
    name: ClassVar[str] = Trending.name
    interval_seconds = 15.0

    def __init__(self, trending: Trending, movies: Movies) -> None:
        super().__init__(pause_seconds=0.02)
        self._trending = trending
        self._movies = movies
        self._marks = DirtyMarks(trending.redis, trending.all, "hours", "movies")
        self._heats: HeatTable | None = None
        self._catalogue: int | None = None
        self._genres: dict[int, tuple[str, ...]] = {}
        self._cards: dict[int, bytes] = {}
        self._unsettled: frozenset[int] = frozenset()
        self._entries: dict[str, tuple[MovieHeat, ...]] = {}
        self._all_written_at = float("-inf")
        self._external = ExternalBoardBuilder(trending, movies)

    def build(self, now: datetime) -> None:
        with self.working():
            self._build(now)

    def check(self, now: datetime) -> list[str]:
        """Compare boards and pages with the counts; one line for each difference."""
        return compare(
            self._trending,
            self.differences,
            beside=self._movies,
            has_seen_all=lambda: (
                self._trending.shown_catalogue_version() == self._movies.catalogue_version()
            ),
        )

    def _build(self, now: datetime) -> None:
        batch = self._marks.take()
        movie_checkpoints = self._movies.all.checkpoints()
        hours, touched = batch.touched
        touched |= self._unsettled
        heats, is_all = self._update_heats(
            hour_of(now), hours, touched, is_continued=batch.is_continued
        )
        self._forget(touched, is_all=is_all)
        built = {
            p: min(offset, movie_checkpoints.get(p, 0)) for p, offset in batch.checkpoints.items()
        }
        with self._marks.commit() as pipe:
            if is_all or touched:
                self._write(pipe, heats, now, touched, is_all=is_all)
            self._external.build(pipe, touched, is_all=is_all)
            note_built(pipe, self._trending.all, built, late=batch.late)
            pipe.set(self._trending.shown_catalogue_version_key, self._catalogue or 0)
        # A card read before the movies model had the same events is read again next time.
        self._unsettled = frozenset() if built == batch.checkpoints else touched

    # ------------------------------------------------------------------------------ heats

    def _update_heats(
        self, hour: int, hours: Iterable[int], touched: Iterable[int], *, is_continued: bool
    ) -> tuple[HeatTable, bool]:
        """Update the heats; also return whether every board may look different."""
        before, self._catalogue = self._catalogue, self._movies.catalogue_version()
        heats = self._heats
        if heats is None or not is_continued or not heats.can_go_to(hour):
            heats = self._heats = HeatTable(self._trending, hour)
            return heats, True
        is_next_hour = hour != heats.hour
        if is_next_hour:
            heats.go_to(hour)
        heats.read(touched, hours)
        is_due = monotonic() - self._all_written_at >= _ALL_SECONDS
        return heats, is_next_hour or is_due or before != self._catalogue

    def _forget(self, touched: Iterable[int], *, is_all: bool) -> None:
        if is_all:
            self._genres.clear()
            self._cards.clear()
        for movie in touched:
            self._cards.pop(movie, None)

    # ------------------------------------------------------------------------------ writing

    def _write(
        self,
        pipe: Pipeline,
        heats: HeatTable,
        now: datetime,
        touched: frozenset[int],
        *,
        is_all: bool,
    ) -> None:
        rankings = self._rank(heats)
        chosen = {
            name: TrendingBoard(hour=hour_of(now), as_of=now, entries=entries)
            for name, entries in rankings.items()
            if is_all or self._looks_different(name, entries, touched)
        }
        pages = self._pages(chosen)
        shard = self._trending
        if is_all:
            pipe.delete(shard.boards_key, shard.pages_key)
        elif gone := self._entries.keys() - rankings.keys():
            pipe.hdel(shard.boards_key, *gone)
            pipe.hdel(shard.pages_key, *gone)
        if chosen:
            pipe.hset(shard.boards_key, items=_fields({n: _pack(b) for n, b in chosen.items()}))
            pipe.hset(shard.pages_key, items=_fields(pages))
        self._entries = rankings
        if is_all:
            self._all_written_at = monotonic()

    def _rank(self, heats: HeatTable) -> dict[str, tuple[MovieHeat, ...]]:
        """Entries of every board, by its name."""
        rankings: dict[str, tuple[MovieHeat, ...]] = {}
        for window, heat_by_movie in heats.of.items():
            ranking = ranked(heat_by_movie)
            for genre, entries in by_genre(ranking, self._genres_of(ranking)).items():
                rankings[board_name(window, genre)] = entries
        return rankings

    def _genres_of(self, ranking: Iterable[MovieHeat]) -> Mapping[int, tuple[str, ...]]:
        """Genres of the ranked movies, and of more."""
        missing = [entry.movie for entry in ranking if entry.movie not in self._genres]
        self._genres |= self._movies.genres_of(missing)
        return self._genres

    def _looks_different(
        self, name: str, entries: tuple[MovieHeat, ...], touched: frozenset[int]
    ) -> bool:
        if entries != self._entries.get(name):
            return True
        return any(entry.movie in touched for entry in entries[:DEFAULT_LIMIT])

    def _pages(self, boards: Mapping[str, TrendingBoard]) -> dict[str, bytes]:
        shown = {e.movie for board in boards.values() for e in board.entries[:DEFAULT_LIMIT]}
        self._cards |= self._movies.cards(sorted(shown - self._cards.keys()))
        return {name: self._page(name, board) for name, board in boards.items()}

    def _page(self, name: str, board: TrendingBoard) -> bytes:
        window, genre = parse_board_name(name)
        return render(board, paginate(board, window, genre, limit=DEFAULT_LIMIT), self._cards)

    # ------------------------------------------------------------------------------ checking

    def differences(self) -> Differences:
        """Boards and pages that would differ if rebuilt now for the same hour."""
        stored, stored_pages = self._trending.boards_and_pages()
        self._forget((), is_all=True)
        hour = max((board.hour for board in stored.values()), default=0)
        rankings = self._rank(HeatTable(self._trending, hour))
        shown = {name: _by_movie(board.entries) for name, board in stored.items()}
        expected = {name: _by_movie(entries) for name, entries in rankings.items()}
        pages = {name: _items_by_movie(page) for name, page in self._pages(stored).items()}
        shown_pages = {name: _items_by_movie(stored_pages.get(name)) for name in pages}
        return {
            **_differences("the board {} differs from the rating counts", shown, expected),
            **_differences("the first page of {} differs from its board", shown_pages, pages),
            **self._external.differences(),
        }


# Boards and pages are compared movie by movie: some movie is rated all the time.


def _by_movie(entries: tuple[MovieHeat, ...]) -> dict[str, object]:
    heats = {f" at movie {movie}": heat for movie, heat in entries}
    return {"": list(entries) == ranked(dict(entries)), **heats}


def _items_by_movie(page: bytes | None) -> dict[str, object]:
    if page is None:
        return {}
    try:
        rest = msgspec.json.decode(page)
    except msgspec.DecodeError:
        return {"": page}
    items = rest.pop("items")
    order = [item["id"] for item in items]  # a list: it shows a movie that is there twice
    return {"": (rest, order), **{f" at movie {item['id']}": item for item in items}}


def _differences(
    what: str,
    stored: Mapping[str, Mapping[str, object]],
    expected: Mapping[str, Mapping[str, object]],
) -> Differences:
    return {
        what.format(name) + where: values
        for name in sorted(stored.keys() | expected.keys())
        for where, values in unequal(stored.get(name, {}), expected.get(name, {})).items()
    }


def _fields(values: Mapping[str, bytes]) -> list[str | bytes]:
    return [part for pair in values.items() for part in pair]
