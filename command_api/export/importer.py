"""How does what a person took along come into an account here?

By the same rules as if they did it all again. Movies may have other numbers here. Playlists get
ids that follow from those they had, so that a file that is brought twice makes none twice.
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
from command_api.catalogue.availability import AVAILABLE
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
    """What came of it."""

    lines: int = 0
    unknown: int = 0
    """Movies that are not in the catalogue here, are withdrawn, or can't be told apart."""
    refused: int = 0
    """Ratings of times that can't be."""


class AccountImporter:
    """One file into one account."""

    def __init__(self, user_id: UUID, key: bytes, store: EventStore, origin: Origin) -> None:
        self._user_id = user_id
        self._key = key
        self._store = store
        self._origin = origin
        self.count = ImportCounts()

    def take(self, lines: Iterable[ExportLine]) -> Iterator[ImportCounts]:
        """Bring lines in, some at a time, telling how far it is."""
        remaining = iter(lines)
        while some := list(islice(remaining, _PAGE)):
            self._take(some)
            self.count.lines += len(some)
            yield self.count

    def _take(self, some: Sequence[ExportLine]) -> None:
        numbers = _numbers({movie.id: movie for line in some for movie in _movies_of(line)})
        self.count.unknown += sum(
            movie.id not in numbers for line in some for movie in _movies_of(line)
        )
        self._rate([line for line in some if isinstance(line, RatingLine)], numbers)
        for line in some:
            self._say(line, numbers)

    def _rate(self, lines: Sequence[RatingLine], numbers: Mapping[int, int]) -> None:
        now, availabilities = datetime.now(UTC), dict.fromkeys(numbers.values(), AVAILABLE)
        said = [line.rating for line in lines if line.rating.movie_id in numbers]
        brought = [RatingInput(numbers[it.movie_id], it.score, it.rated_at) for it in said]
        ratings = {
            nth: it
            for nth, it in enumerate(brought)
            if reject_invalid(it, availabilities=availabilities, now=now) is None
        }
        self.count.refused += len(brought) - len(ratings)
        if ratings:
            import_ratings(self._user_id, ratings, self._store, now=now, origin=self._origin)

    def _say(self, line: ExportLine, numbers: Mapping[int, int]) -> None:
        store, origin, user = self._store, self._origin, self._user_id
        match line:
            case PreferencesLine(genres=genres, public_activity=is_public, strategy=strategy):
                command = ChangePreferences(
                    user_id=user, genres=genres, public_activity=is_public, strategy=strategy
                )
                handle(command, preferences, store, origin=origin)
            case FavouriteLine(movie=movie) if movie.id in numbers:
                handle(FavouriteMovie(user, numbers[movie.id]), favourite, store, origin=origin)
            case HiddenLine(movie=movie) if movie.id in numbers:
                handle(HideMovie(user, numbers[movie.id]), hidden, store, origin=origin)
            case PlaylistLine():
                self._make(line, [numbers[it.id] for it in line.movies if it.id in numbers])
            case _:  # who they were there, ratings, and the end
                return

    def _make(self, line: PlaylistLine, movies: Sequence[int]) -> None:
        """All of a playlist in one append, or nothing where there is one of this id."""
        random = sha256(f"{self._user_id}:{line.id}".encode()).digest()[: playlist_ids.RANDOM_BYTES]
        id_ = playlist_ids.playlist_id(str(self._user_id), self._store.partitions, random)
        commands: list[PlaylistCommand] = [
            CreatePlaylist(
                playlist_id=id_,
                user_id=self._user_id,
                name=self._words(PLAYLIST_NAME, line.name),
                description=None
                if line.description is None
                else self._words(PLAYLIST_DESCRIPTION, line.description),
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
            return  # it was brought before

    def _words(self, field: str, text: str) -> PlaylistText:
        return PlaylistText(
            text, encrypt_field(self._key, subject=self._user_id, field=field, text=text)
        )


def _movies_of(line: ExportLine) -> Sequence[ExportedMovie]:
    match line:
        case RatingLine(movie=movie) | FavouriteLine(movie=movie) | HiddenLine(movie=movie):
            return (movie,)
        case PlaylistLine(movies=movies):
            return movies
        case _:  # about no movie
            return ()


def _numbers(movies: Mapping[int, ExportedMovie]) -> dict[int, int]:
    """Their number -> ours, of those that are found for certain."""
    facts = dict(_facts(movies))
    found = {
        theirs: theirs
        for theirs, movie in movies.items()
        if facts.get(theirs) == (movie.title, movie.year)
    }
    rest = {theirs: movie for theirs, movie in movies.items() if theirs not in found}
    for theirs, movie in rest.items():
        ours = _by_external_id(movie) or _by_title(movie)
        if len(ours) == 1:
            found[theirs] = ours.pop()
    return found


def _facts(movies: Iterable[int]) -> Iterator[tuple[int, tuple[str, int | None]]]:
    rows = _listed().filter(pk__in=list(movies)).values_list("pk", "title", "year")
    return ((movie_id, (title, year)) for movie_id, title, year in rows)


def _by_external_id(movie: ExportedMovie) -> set[int]:
    return {
        ours
        for source, value in movie.external_ids.items()
        # A page may be about several movies, and another platform has other catalogue files.
        if source not in (models.WIKIPEDIA, models.CATALOGUE)
        for ours in _listed()
        .filter(external_ids__source=source, external_ids__value=value)
        .values_list("pk", flat=True)
    }


def _by_title(movie: ExportedMovie) -> set[int]:
    same = _listed().filter(title=movie.title, year=movie.year)
    return set(same.values_list("pk", flat=True))


def _listed() -> QuerySet[models.Movie]:
    """Those that somebody may have a new opinion of."""
    return models.Movie.objects.filter(status=models.Movie.Status.LISTED)
