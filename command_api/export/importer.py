"""Import of an export file into an account.

It follows the same rules as the user's own commands, and keeps the times of the file: a favourite
is as old as it was. What changed here after that time stays. Movies may have other ids here. A
playlist's id is derived from its id in the file, so that a file imported twice creates no playlist
twice. A line that breaks a rule is named, and the others are imported.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from command_api.aggregate import handle
from command_api.catalogue import models
from command_api.catalogue.external_ids import readable_ids
from command_api.export.format import (
    ExportedMovie,
    ExportLine,
    FavouriteLine,
    HiddenLine,
    PlaylistLine,
    PreferencesLine,
    RatingLine,
)
from command_api.imports.line_warnings import LineWarnings
from command_api.opinion_flags.decider import (
    FavouriteMovie,
    FlagAggregate,
    HideMovie,
    SetFlag,
    favourite,
    hidden,
)
from command_api.playlists.decider import CreatePlaylist, PlaylistText, playlist
from command_api.preferences.api import PreferencesBody
from command_api.preferences.decider import ChangePreferences, preferences
from command_api.ratings.bulk_import import EARLIEST, RatingInput, import_ratings
from events import playlist_ids
from events.recorded import Origin
from events.store import EventStore, WrongExpectedVersion
from events.vault.decryption import PLAYLIST_DESCRIPTION, PLAYLIST_NAME
from events.vault.encryption import encrypt_field
from infra.client_times import is_future, to_utc
from infra.errors import Invalid, Refused
from infra.visible_text import RefusedText, is_blank, normalised

_PAGE = 500


@dataclass
class ImportCounts:
    lines: int = 0
    unknown: int = 0
    """Movies that are not in this catalogue, are withdrawn, or match several movies."""
    refused: int = 0
    """Lines that break a rule."""


class NumberedLine(NamedTuple):
    number: int
    line: ExportLine


class AccountImporter:
    def __init__(
        self,
        user_id: UUID,
        key: bytes,
        store: EventStore,
        *,
        origin: Origin,
        refused: LineWarnings,
    ) -> None:
        self._user_id = user_id
        self._key = key
        self._store = store
        self._origin = origin
        self._refused = refused
        self._now = datetime.now(UTC)
        self.count = ImportCounts()

    def run(self, lines: Iterable[NumberedLine]) -> Iterator[ImportCounts]:
        """Import the lines page by page; yield the counts after each page."""
        remaining = iter(lines)
        while page := list(islice(remaining, _PAGE)):
            self._import_page(page)
            self.count.lines += len(page)
            yield self.count

    def _import_page(self, page: Sequence[NumberedLine]) -> None:
        self._now = datetime.now(UTC)
        movies = [movie for _, line in page for movie in _movies_of(line)]
        ids = _local_ids({movie.id: movie for movie in movies})
        self.count.unknown += sum(movie.id not in ids for movie in movies)
        self._import_ratings(page, ids)
        for number, line in page:
            try:
                self._import_line(line, ids)
            except Refused as error:
                self._refuse(number, error)

    def _import_ratings(self, page: Sequence[NumberedLine], ids: Mapping[int, int]) -> None:
        ratings = {}
        for number, line in page:
            if not isinstance(line, RatingLine) or line.rating.movie_id not in ids:
                continue
            try:
                at = self._past(line.rating.rated_at)
            except Refused as error:
                self._refuse(number, error)
            else:
                ratings[number] = RatingInput(ids[line.rating.movie_id], line.rating.score, at)
        if ratings:
            import_ratings(self._user_id, ratings, self._store, now=self._now, origin=self._origin)

    def _import_line(self, line: ExportLine, ids: Mapping[int, int]) -> None:
        user = self._user_id
        match line:
            case PreferencesLine(genres=genres, public_activity=is_public, strategy=strategy):
                PreferencesBody.read({"genres": [*genres], "strategy": strategy})
                command = ChangePreferences(
                    user_id=user, genres=genres, public_activity=is_public, strategy=strategy
                )
                handle(command, preferences, self._store, origin=self._origin)
            case FavouriteLine(movie=movie, since=since) if movie.id in ids:
                self._set_flag(FavouriteMovie(user, ids[movie.id]), favourite, since)
            case HiddenLine(movie=movie, since=since) if movie.id in ids:
                self._set_flag(HideMovie(user, ids[movie.id]), hidden, since)
            case PlaylistLine():
                self._create_playlist(line, [ids[it.id] for it in line.movies if it.id in ids])
            case _:  # account, ratings (imported together) and end
                return

    def _set_flag(self, command: SetFlag, flag: FlagAggregate, since: datetime) -> None:
        """Set a flag as of then, unless it was set or cleared here after that."""
        at = self._past(since)
        history = self._store.read(flag.stream(command))
        if not history or history[-1].occurred_at < at:
            handle(command, flag, self._store, origin=self._origin, occurred_at=at)

    def _past(self, at: datetime) -> datetime:
        """A time of the file in UTC, at most now; raises Invalid for one that can't be right."""
        try:
            utc = to_utc(at)
        except ValueError as error:
            raise Invalid(f"{error}.") from error
        if is_future(utc, now=self._now):
            raise Invalid(f"The time {utc:%Y-%m-%dT%H:%M:%SZ} is in the future.")
        if utc < EARLIEST:
            raise Invalid(f"The time is before {EARLIEST.year}.")
        return min(utc, self._now)

    def _refuse(self, number: int, error: Refused) -> None:
        self.count.refused += 1
        reasons = [f"{field}: {reason}" for field, reason in error.errors]
        self._refused.add(number, "; ".join(reasons) or error.detail)

    def _create_playlist(self, line: PlaylistLine, movies: Sequence[int]) -> None:
        """Append the whole playlist at once, as of its time, or nothing if its id exists."""
        at = self._past(line.created_at)
        random = sha256(f"{self._user_id}:{line.id}".encode()).digest()[: playlist_ids.RANDOM_BYTES]
        id_ = playlist_ids.playlist_id(str(self._user_id), self._store.partitions, random)
        command = CreatePlaylist(
            playlist_id=id_,
            user_id=self._user_id,
            name=self._encrypt(PLAYLIST_NAME, line.name),
            description=None
            if line.description is None
            else self._encrypt(PLAYLIST_DESCRIPTION, line.description),
            visibility=line.visibility,
            movies=tuple(dict.fromkeys(movies)),
        )
        events = playlist.decide(command, playlist.initial)
        try:
            stream = playlist.stream(command)
            self._store.append(stream, events, expected=0, origin=self._origin, occurred_at=at)
        except WrongExpectedVersion:
            return  # imported before

    def _encrypt(self, field: str, text: str) -> PlaylistText:
        try:
            text = normalised(text, is_long=field == PLAYLIST_DESCRIPTION).strip()
        except RefusedText as error:
            raise Invalid(f"The playlist's text is invalid: {error}") from error
        if field == PLAYLIST_NAME and is_blank(text):
            raise Invalid("The playlist has no name.")
        return PlaylistText(
            text, encrypt_field(self._key, subject=self._user_id, field=field, text=text)
        )


def _movies_of(line: ExportLine) -> Sequence[ExportedMovie]:
    match line:
        case RatingLine(movie=movie) | FavouriteLine(movie=movie) | HiddenLine(movie=movie):
            return (movie,)
        case PlaylistLine(movies=movies):
            return movies
        case _:  # no movie
            return ()


def _local_ids(movies: Mapping[int, ExportedMovie]) -> dict[int, int]:
    """Map the file's movie ids to local ids, for movies that match exactly one here."""
    rows = _available().filter(pk__in=list(movies)).values_list("pk", "title", "year")
    titles = {movie_id: (title, year) for movie_id, title, year in rows}
    ids = {
        file_id: file_id
        for file_id, movie in movies.items()
        if titles.get(file_id) == (movie.title, movie.year)
    }
    rest = {file_id: movie for file_id, movie in movies.items() if file_id not in ids}
    for file_id, movie in rest.items():
        local_ids = _match_external_id(movie) or _match_title(movie)
        if len(local_ids) == 1:
            ids[file_id] = local_ids.pop()
    return ids


def _match_external_id(movie: ExportedMovie) -> set[int]:
    given = movie.external_ids or {}
    # As they are, too: earlier releases did not bring the ids of files into their normal form.
    links = {(source, str(value)) for source, value in given.items()}
    links |= {*readable_ids(given, report=lambda _: None)}
    return {
        local_id
        for source, value in links
        # A page may be about several movies, and another platform has other catalogue files and
        # other data sets of MovieLens. PostgreSQL has no texts with U+0000.
        if "\0" not in source + value
        and source not in (models.WIKIPEDIA, models.CATALOGUE)
        and not models.is_film_number(source)
        for local_id in _available()
        .filter(external_ids__source=source, external_ids__value=value)
        .values_list("pk", flat=True)
    }


def _match_title(movie: ExportedMovie) -> set[int]:
    same = _available().filter(title=movie.title, year=movie.year)
    return set(same.values_list("pk", flat=True))


def _available() -> QuerySet[models.Movie]:
    """Return the movies that take new opinions."""
    return models.Movie.objects.filter(status=models.Movie.Status.LISTED)
