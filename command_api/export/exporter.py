"""Export of a user's data from the log.

The streams are read page by page, so a long history needs no more memory than a short one. There is
no common snapshot: each page is as it was when it was read.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from command_api.accounts.decider import stream_of as account_of
from command_api.catalogue import models
from command_api.emails.decider import VerifyEmail, email
from command_api.export.format import (
    AccountLine,
    EndLine,
    ExportedMovie,
    ExportedRating,
    ExportLine,
    FavouriteLine,
    HiddenLine,
    PlaylistLine,
    PreferencesLine,
    RatingLine,
)
from command_api.playlists import decider as playlists
from command_api.preferences.decider import ChangePreferences, preferences
from events.catalogue import MovieFavourited, MovieHidden, MovieRated, UserRegistered
from events.recorded import Recorded, Stream
from events.store import EventStore
from events.stream_names import PLAYLISTS
from events.vault.decryption import EventDecryptor

_PAGE = 500
_Opinion: TypeAlias = MovieRated | MovieFavourited | MovieHidden


def lines(user_id: UUID, store: EventStore) -> Iterator[ExportLine]:
    """Yield all lines, and at the end their number."""
    count = 0
    for line in _Exporter(user_id, store).lines():
        count += 1
        yield line
    yield EndLine(lines=count)


class _Exporter:
    def __init__(self, user_id: UUID, store: EventStore) -> None:
        self._user_id = user_id
        self._owner = str(user_id)
        self._store = store
        self._decryptor = EventDecryptor()

    def lines(self) -> Iterator[ExportLine]:
        yield from self._account()
        yield from self._preferences()
        for kind in ("rating", "favourite", "hidden"):
            yield from self._opinions(f"{kind}-{self._user_id}-")
        yield from self._playlists()

    def _account(self) -> Iterator[ExportLine]:
        history = self._store.read(account_of(self._user_id))
        for recorded in self._decryptor.decrypt_all(history):
            if isinstance(recorded.event, UserRegistered):
                yield AccountLine(
                    id=self._user_id,
                    username=recorded.event.username,
                    email=recorded.event.email,
                    registered_at=recorded.occurred_at,
                    email_verified=self._is_verified(),
                )

    def _is_verified(self) -> bool:
        history = self._store.read(email.stream(VerifyEmail(self._user_id)))
        return email.state(history).is_verified

    def _preferences(self) -> Iterator[ExportLine]:
        stream = preferences.stream(ChangePreferences(user_id=self._user_id))
        if history := self._store.read(stream):
            state = preferences.state(history)
            yield PreferencesLine(**asdict(state))

    def _opinions(self, prefix: str) -> Iterator[ExportLine]:
        """Yield the current opinions: a stream's last event gives one, or takes it back."""
        for streams in self._pages(prefix):
            histories = self._store.read_many(streams)
            last = [histories[stream.name][-1] for stream in streams]
            current = [(r.event, r.occurred_at) for r in last if isinstance(r.event, _Opinion)]
            movies = _movies({event.movie_id for event, _ in current})
            for event, at in current:
                yield _opinion_line(event, at, movies[event.movie_id])

    def _playlists(self) -> Iterator[ExportLine]:
        aggregate = replace(playlists.playlist, decrypt=self._decryptor.decrypt_all)
        for streams in self._pages(PLAYLISTS):
            for stream in streams:
                history = self._store.read(stream)
                state = aggregate.state(history)
                if state.owner == self._user_id:
                    yield _playlist_line(stream.name, state, history[0])

    def _pages(self, prefix: str) -> Iterator[Sequence[Stream]]:
        after = ""
        while names := self._store.streams(self._owner, prefix=prefix, after=after, limit=_PAGE):
            yield [Stream(name, self._owner) for name in names]
            after = names[-1]


def _opinion_line(event: _Opinion, at: datetime, movie: ExportedMovie) -> ExportLine:
    match event:
        case MovieRated(movie_id=movie_id, score=score):
            opinion = ExportedRating(movie_id=movie_id, score=score, rated_at=at)
            return RatingLine(rating=opinion, movie=movie)
        case MovieFavourited():
            return FavouriteLine(since=at, movie=movie)
        case MovieHidden():
            return HiddenLine(since=at, movie=movie)


def _playlist_line(stream: str, state: playlists.PlaylistState, first: Recorded) -> PlaylistLine:
    movies = _movies(state.movies)
    return PlaylistLine(
        id=stream.removeprefix(PLAYLISTS),
        name=state.name,
        description=state.description,
        visibility=state.visibility,
        created_at=first.occurred_at,
        movies=tuple(movies[movie] for movie in state.movies),
    )


def _movies(movie_ids: Collection[int]) -> dict[int, ExportedMovie]:
    """Look the movies up; one that is not in the tables yet has no title."""
    external: dict[int, dict[str, str]] = {}
    links = models.ExternalId.objects.filter(movie_id__in=movie_ids).order_by("source", "value")
    for movie_id, source, value in links.values_list("movie_id", "source", "value"):
        external.setdefault(movie_id, {}).setdefault(source, value)
    rows = models.Movie.objects.filter(pk__in=movie_ids).values_list("pk", "title", "year")
    facts = {movie_id: (title, year) for movie_id, title, year in rows}
    return {
        movie_id: ExportedMovie(
            id=movie_id,
            title=facts.get(movie_id, ("", None))[0],
            year=facts.get(movie_id, ("", None))[1],
            external_ids=external.get(movie_id, {}),
        )
        for movie_id in movie_ids
    }
