"""Import of an export file into an account.

It follows the same rules as the user's own commands. Movies may have other ids here. A playlist's
id is derived from its id in the file, so that a file imported twice creates no playlist twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from uuid import UUID

from django.db.models import QuerySet

from command_api.aggregate import handle
from command_api.catalogue import models
from command_api.export.format import (
    ExportedMovie,
    ExportLine,
    FavouriteLine,
    HiddenLine,
    PlaylistLine,
    PreferencesLine,
    RatingLine,
)
from command_api.opinion_flags.decider import FavouriteMovie, HideMovie, favourite, hidden
from command_api.playlists.decider import (
    CreatePlaylist,
    PlaylistCommand,
    PlaylistText,
    PutMovie,
    playlist,
)
from command_api.preferences.decider import ChangePreferences, preferences
from command_api.ratings.bulk_import import RatingInput, import_ratings, reject_invalid
from events import playlist_ids
from events.recorded import Origin
from events.store import EventStore, WrongExpectedVersion
from events.vault.decryption import PLAYLIST_DESCRIPTION, PLAYLIST_NAME
from events.vault.encryption import encrypt_field

_PAGE = 500


@dataclass
class ImportCounts:
    lines: int = 0
    unknown: int = 0
    """Movies that are not in this catalogue, are withdrawn, or match several movies."""
    refused: int = 0
    """Ratings with an impossible time."""


class AccountImporter:
    def __init__(self, user_id: UUID, key: bytes, store: EventStore, origin: Origin) -> None:
        self._user_id = user_id
        self._key = key
        self._store = store
        self._origin = origin
        self.count = ImportCounts()

    def run(self, lines: Iterable[ExportLine]) -> Iterator[ImportCounts]:
        """Import the lines page by page; yield the counts after each page."""
        remaining = iter(lines)
        while page := list(islice(remaining, _PAGE)):
            self._import_page(page)
            self.count.lines += len(page)
            yield self.count

    def _import_page(self, page: Sequence[ExportLine]) -> None:
        ids = _local_ids({movie.id: movie for line in page for movie in _movies_of(line)})
        self.count.unknown += sum(
            movie.id not in ids for line in page for movie in _movies_of(line)
        )
        self._import_ratings([line for line in page if isinstance(line, RatingLine)], ids)
        for line in page:
            self._import_line(line, ids)

    def _import_ratings(self, lines: Sequence[RatingLine], ids: Mapping[int, int]) -> None:
        now, movies = datetime.now(UTC), dict.fromkeys(ids.values(), False)
        known = [line.rating for line in lines if line.rating.movie_id in ids]
        inputs = [RatingInput(ids[it.movie_id], it.score, it.rated_at) for it in known]
        ratings = {
            nth: it
            for nth, it in enumerate(inputs)
            if reject_invalid(it, movies=movies, now=now) is None
        }
        self.count.refused += len(inputs) - len(ratings)
        if ratings:
            import_ratings(self._user_id, ratings, self._store, now=now, origin=self._origin)

    def _import_line(self, line: ExportLine, ids: Mapping[int, int]) -> None:
        store, origin, user = self._store, self._origin, self._user_id
        match line:
            case PreferencesLine(genres=genres, public_activity=is_public, strategy=strategy):
                command = ChangePreferences(
                    user_id=user, genres=genres, public_activity=is_public, strategy=strategy
                )
                handle(command, preferences, store, origin=origin)
            case FavouriteLine(movie=movie) if movie.id in ids:
                handle(FavouriteMovie(user, ids[movie.id]), favourite, store, origin=origin)
            case HiddenLine(movie=movie) if movie.id in ids:
                handle(HideMovie(user, ids[movie.id]), hidden, store, origin=origin)
            case PlaylistLine():
                self._create_playlist(line, [ids[it.id] for it in line.movies if it.id in ids])
            case _:  # account, ratings (imported together) and end
                return

    def _create_playlist(self, line: PlaylistLine, movies: Sequence[int]) -> None:
        """Append the whole playlist at once, or nothing if its id exists."""
        random = sha256(f"{self._user_id}:{line.id}".encode()).digest()[: playlist_ids.RANDOM_BYTES]
        id_ = playlist_ids.playlist_id(str(self._user_id), self._store.partitions, random)
        commands: list[PlaylistCommand] = [
            CreatePlaylist(
                playlist_id=id_,
                user_id=self._user_id,
                name=self._encrypt(PLAYLIST_NAME, line.name),
                description=None
                if line.description is None
                else self._encrypt(PLAYLIST_DESCRIPTION, line.description),
                visibility=line.visibility,
            ),
            *(
                PutMovie(playlist_id=id_, user_id=self._user_id, movie_id=movie)
                for movie in dict.fromkeys(movies)
            ),
        ]
        state, events = playlist.initial, []
        for command in commands:
            for event in playlist.decide(command, state):
                state = playlist.evolve(state, event)
                events.append(event)
        try:
            stream = playlist.stream(commands[0])
            self._store.append(stream, events, expected=0, origin=self._origin)
        except WrongExpectedVersion:
            return  # imported before

    def _encrypt(self, field: str, text: str) -> PlaylistText:
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
    return {
        local_id
        for source, value in movie.external_ids.items()
        # A page may be about several movies, and another platform has other catalogue files and
        # other data sets of MovieLens.
        if source not in (models.WIKIPEDIA, models.CATALOGUE) and not models.is_film_number(source)
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
