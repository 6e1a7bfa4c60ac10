"""Rules for creating, changing and deleting a playlist."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET, UnsetType

from command_api.aggregate import Aggregate
from command_api.catalogue.decider import NO_NEW_OPINIONS
from command_api.playlists.ranks import FAR, insert_rank
from events.catalogue import (
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistDescribed,
    PlaylistEvent,
    PlaylistMovieAdded,
    PlaylistMovieMoved,
    PlaylistMovieRemoved,
    PlaylistRenamed,
    PlaylistShown,
    Visibility,
)
from events.catalogue.accounts import EncryptedField
from events.recorded import Stream
from infra.errors import Conflict, Invalid, NotFound, PreconditionFailed

MOST_MOVIES = 2000
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 1000

Versions: TypeAlias = frozenset[int] | None
"""The versions that a playlist may have for the command to be executed; None accepts any."""


@dataclass(frozen=True, slots=True)
class PlaylistText:
    """A user's text: in clear, to compare, and encrypted, to store in an event."""

    text: str
    encrypted: EncryptedField


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePlaylist:
    playlist_id: str
    user_id: UUID
    name: PlaylistText
    description: PlaylistText | None = None
    visibility: Visibility = "private"
    movies: Sequence[int] = ()
    """The movies that it begins with, in order, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    playlist_id: str
    user_id: UUID
    versions: Versions = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlaylist(_Change):
    """Change the given properties; the others stay."""

    name: PlaylistText | UnsetType = UNSET
    description: PlaylistText | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET


class DeletePlaylist(_Change):
    """Delete the playlist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutMovie(_Change):
    """Put a movie into a playlist at a position; without one a new movie comes last."""

    movie_id: int
    position: int | None = None
    is_withdrawn: bool = False
    """Whether the movie is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMovie(_Change):
    movie_id: int


PlaylistChange: TypeAlias = ChangePlaylist | DeletePlaylist | PutMovie | RemoveMovie
PlaylistCommand: TypeAlias = CreatePlaylist | PlaylistChange


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistState:
    """A playlist; without an owner it does not exist, or no longer."""

    version: int = 0
    owner: UUID | None = None
    name: str = ""
    description: str | None = None
    visibility: Visibility = "private"
    ranks: Mapping[int, int] = field(default_factory=dict)

    @property
    def movies(self) -> list[int]:
        return sorted(self.ranks, key=self.ranks.__getitem__)


def decide(command: PlaylistCommand, current: PlaylistState) -> Sequence[PlaylistEvent]:
    if not isinstance(command, CreatePlaylist):
        _refuse_foreign(command, current)
    match command:
        case CreatePlaylist():
            return _create(command, current)
        case ChangePlaylist():
            return tuple(_change_events(command, current))
        case DeletePlaylist(playlist_id=playlist_id, user_id=user):
            return (PlaylistDeleted(playlist_id=playlist_id, user_id=user),)
        case PutMovie():
            return _put(command, current)
        case RemoveMovie(playlist_id=playlist_id, user_id=user, movie_id=movie):
            if movie not in current.ranks:
                raise NotFound("This movie is not in the playlist.")
            return (PlaylistMovieRemoved(playlist_id=playlist_id, user_id=user, movie_id=movie),)


def _refuse_foreign(command: PlaylistChange, current: PlaylistState) -> None:
    if current.owner is None or current.owner != command.user_id:
        raise not_found()
    if command.versions is not None and current.version not in command.versions:
        raise PreconditionFailed(
            f"The playlist has version {current.version}. Read it again before you change it."
        )


def not_found() -> NotFound:
    """Return the same error for missing playlists and for those of other users."""
    return NotFound("You have no such playlist.")


def _create(command: CreatePlaylist, current: PlaylistState) -> Sequence[PlaylistEvent]:
    if current.version:
        raise Conflict("A playlist with this id exists already.")
    _refuse_invalid_texts(command.name, command.description)
    if len(command.movies) > MOST_MOVIES:
        raise _full()
    playlist_id, user = command.playlist_id, command.user_id
    return (
        PlaylistCreated(
            playlist_id=playlist_id,
            user_id=user,
            name=command.name.encrypted,
            description=None if command.description is None else command.description.encrypted,
            visibility=command.visibility,
        ),
        *(
            PlaylistMovieAdded(playlist_id=playlist_id, user_id=user, movie_id=movie, rank=rank)
            for movie, rank in zip(command.movies, count(0, FAR), strict=False)
        ),
    )


def _change_events(command: ChangePlaylist, current: PlaylistState) -> Iterator[PlaylistEvent]:
    playlist_id, user = command.playlist_id, command.user_id
    name, description, visibility = command.name, command.description, command.visibility
    _refuse_invalid_texts(name, description)
    if name is not UNSET and name.text != current.name:
        yield PlaylistRenamed(playlist_id=playlist_id, user_id=user, name=name.encrypted)
    if (
        description is not UNSET
        and (description.text if description else None) != current.description
    ):
        encrypted = description.encrypted if description else None
        yield PlaylistDescribed(playlist_id=playlist_id, user_id=user, description=encrypted)
    if visibility is not UNSET and visibility != current.visibility:
        yield PlaylistShown(playlist_id=playlist_id, user_id=user, visibility=visibility)


def _refuse_invalid_texts(
    name: PlaylistText | UnsetType, description: PlaylistText | UnsetType | None
) -> None:
    errors = []
    if name is not UNSET and not 1 <= len(name.text) <= LONGEST_NAME:
        errors.append(("name", f"A name has 1 to {LONGEST_NAME} characters."))
    if isinstance(description, PlaylistText) and len(description.text) > LONGEST_DESCRIPTION:
        reason = f"A description has at most {LONGEST_DESCRIPTION} characters."
        errors.append(("description", reason))
    if errors:
        raise Invalid("The playlist's name or description is invalid.", errors=errors)


def _put(command: PutMovie, current: PlaylistState) -> Sequence[PlaylistEvent]:
    playlist_id, user, movie = command.playlist_id, command.user_id, command.movie_id
    before = current.movies
    if movie not in current.ranks and command.is_withdrawn:
        raise Conflict(NO_NEW_OPINIONS)
    others = [other for other in before if other != movie]
    if len(others) == MOST_MOVIES:
        raise _full()
    at = _index(command.position, before, movie)
    if before[at : at + 1] == [movie]:
        return ()
    rank, moved = insert_rank([current.ranks[other] for other in others], at)
    event = PlaylistMovieMoved if movie in current.ranks else PlaylistMovieAdded
    return (
        *(
            PlaylistMovieMoved(
                playlist_id=playlist_id, user_id=user, movie_id=others[nth], rank=new
            )
            for nth, new in moved
        ),
        event(playlist_id=playlist_id, user_id=user, movie_id=movie, rank=rank),
    )


def _full() -> Invalid:
    reason = f"A playlist holds at most {MOST_MOVIES} movies."
    return Invalid("The playlist is full.", errors=[("movie_id", reason)])


def _index(position: int | None, movies: Sequence[int], movie: int) -> int:
    """Return the movie's new index; without a position it stays, and a new movie comes last."""
    if position is None:
        return movies.index(movie) if movie in movies else len(movies)
    last = len(movies) - (movie in movies)
    if not 0 <= position <= last:
        reason = f"position must be from 0 to {last}."
        raise Invalid("The position is outside the playlist.", errors=[("position", reason)])
    return position


def evolve(before: PlaylistState, event: PlaylistEvent) -> PlaylistState:
    return evolve_all(before, (event,))


def evolve_all(before: PlaylistState, events: Iterable[PlaylistEvent]) -> PlaylistState:
    """Apply many events; the movies are copied once, not with each event."""
    state, ranks, version = before, dict(before.ranks), before.version
    for event in events:
        version += 1
        match event:
            case PlaylistMovieAdded() | PlaylistMovieMoved():
                ranks[event.movie_id] = event.rank
            case PlaylistMovieRemoved(movie_id=removed):
                ranks.pop(removed, None)
            case PlaylistCreated() | PlaylistDeleted():
                state, ranks = _without_movies(event), {}
            case PlaylistRenamed() | PlaylistDescribed() | PlaylistShown():
                state = _described(state, event)
    return replace(state, ranks=ranks, version=version)


def _without_movies(event: PlaylistCreated | PlaylistDeleted) -> PlaylistState:
    match event:
        case PlaylistCreated(user_id=user, name=name, description=text, visibility=visibility):
            return PlaylistState(owner=user, name=name, description=text, visibility=visibility)
        case PlaylistDeleted():
            return PlaylistState()


def _described(
    before: PlaylistState, event: PlaylistRenamed | PlaylistDescribed | PlaylistShown
) -> PlaylistState:
    match event:
        case PlaylistRenamed(name=name):
            return replace(before, name=name)
        case PlaylistDescribed(description=text):
            return replace(before, description=text)
        case PlaylistShown(visibility=visibility):
            return replace(before, visibility=visibility)


def stream(command: PlaylistCommand) -> Stream:
    """Return the playlist's stream, in the sender's partition: others' playlists are not there."""
    return Stream(f"playlist-{command.playlist_id}", str(command.user_id))


playlist: Aggregate[PlaylistCommand, PlaylistState, PlaylistEvent] = Aggregate(
    stream=stream,
    initial=PlaylistState(),
    decide=decide,
    evolve=evolve,
    evolve_all=evolve_all,
)
