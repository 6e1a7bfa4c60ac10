"""Builder of the genre list and of the newest and most prominent movies by genre."""

from datetime import datetime
from typing import ClassVar

import msgspec

from projectors.building.dirty_marks import DirtyMarks, note_built
from projectors.building.duty_cycle import DutyCycle
from projectors.read_models.movies.genre_index import GenreIndex
from projectors.read_models.movies.read_model import Movies
from projectors.verification.derived import Differences, compare

_encode = msgspec.json.Encoder().encode


class MoviesBuilder(DutyCycle):
    """Keeps the genre index up to date. Holds the features of every movie in memory."""

    name: ClassVar[str] = Movies.name
    interval_seconds = 60.0

    def __init__(self, movies: Movies) -> None:
        super().__init__(pause_seconds=0.1)
        self._movies = movies
        self._marks = DirtyMarks(movies.redis, movies.all, "movies")
        self._by_genre = GenreIndex({})

    def build(self, now: datetime) -> None:
        with self.working():
            self._build()

    def check(self, now: datetime) -> list[str]:
        """Compare the derived lists with the catalogue; one line for each difference."""
        return compare(self._movies, self._differences)

    def _build(self) -> None:
        batch = self._marks.take()
        [touched] = batch.touched
        if not batch.is_continued:
            self._by_genre = GenreIndex(dict(self._movies.all_features()))
        features = self._movies.features_of(sorted(touched))
        self._by_genre.update(features)
        self._by_genre.drop(touched - features.keys())
        with self._marks.commit() as pipe:
            if touched or not batch.is_continued:
                shard = self._movies.all
                pipe.set(shard.derived("genres"), _encode(self._by_genre.counts()))
                pipe.set(shard.derived("newest"), _encode(self._by_genre.newest()))
                pipe.set(shard.derived("prominent"), _encode(self._by_genre.prominent()))
            note_built(pipe, self._movies.all, batch.checkpoints, late=batch.late)

    def _differences(self) -> Differences:
        expected = GenreIndex(dict(self._movies.all_features()))
        pairs = {
            "the movie counts by genre": (self._movies.genres(), expected.counts()),
            "the newest movies by genre": (self._movies.newest(), expected.newest()),
            "the most prominent movies by genre": (
                self._movies.prominent(),
                expected.prominent(),
            ),
        }
        return {
            f"{what} differ from the catalogue": pair
            for what, pair in pairs.items()
            if pair[0] != pair[1]
        }
