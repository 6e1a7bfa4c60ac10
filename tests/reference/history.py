"""Random histories: commands in any order, decided by the platform's rules."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from hypothesis import HealthCheck
from hypothesis import strategies as st
from msgspec import UNSET

from command_api.aggregate import Aggregate, Handled, handle
from command_api.catalogue.decider import (
    AddMovie,
    LinkMovie,
    MovieCommand,
    MovieFacts,
    MovieState,
    RestoreMovie,
    WithdrawMovie,
    decide,
    evolve,
    stream_of,
)
from command_api.erasure.decider import EraseUser, erasure
from command_api.opinion_flags.decider import (
    FavouriteMovie,
    FlagCommand,
    HideMovie,
    UnfavouriteMovie,
    UnhideMovie,
    favourite,
    hidden,
)
from command_api.playlists.decider import (
    ChangePlaylist,
    CreatePlaylist,
    DeletePlaylist,
    PlaylistCommand,
    PlaylistText,
    PutMovie,
    RemoveMovie,
    playlist,
)
from command_api.ratings.decider import RateMovie, RatingCommand, WithdrawRating, rating
from events.catalogue import AnyEvent, MovieEvent
from events.catalogue.accounts import EncryptedField
from events.playlist_ids import playlist_id
from events.recorded import Origin, Recorded, Stream
from events.store import EventStore
from infra.errors import Refused
from tests.fixtures.memory_store import MemoryStore
from tests.fixtures.recording import NOON

Command: TypeAlias = EraseUser | MovieCommand | FlagCommand | PlaylistCommand | RatingCommand

movie: Aggregate[MovieCommand, MovieState, MovieEvent] = Aggregate(
    stream=lambda command: stream_of(command.movie_id),
    initial=MovieState(),
    decide=decide,
    evolve=evolve,
)

PARTITIONS = 64
PEOPLE = tuple(UUID(int=n) for n in range(1, 4))
MOVIES = range(1, 5)

SUPPRESSED = (
    HealthCheck.function_scoped_fixture,  # each example creates a generation
    HealthCheck.too_slow,  # a busy machine is no failure
    HealthCheck.data_too_large,  # a log is long
)
"""Hypothesis health checks that tests of whole histories would fail."""

_ORIGIN = Origin(correlation_id=UUID(int=7))
_AGGREGATES: Mapping[type[Any], Aggregate[Any, Any, Any]] = {
    EraseUser: erasure,
    **dict.fromkeys((AddMovie, LinkMovie, WithdrawMovie, RestoreMovie), movie),
    **dict.fromkeys((FavouriteMovie, UnfavouriteMovie), favourite),
    **dict.fromkeys((HideMovie, UnhideMovie), hidden),
    **dict.fromkeys((RateMovie, WithdrawRating), rating),
    **dict.fromkeys(
        (CreatePlaylist, ChangePlaylist, DeletePlaylist, PutMovie, RemoveMovie), playlist
    ),
}


class DatedLog(MemoryStore):
    """Log whose events occur at the time that a test sets."""

    now = NOON

    def append(
        self,
        stream: Stream,
        events: Sequence[AnyEvent],
        *,
        expected: int,
        origin: Origin,
        occurred_at: datetime | None = None,
    ) -> Sequence[Recorded]:
        """See EventStore."""
        at = occurred_at or self.now
        return super().append(stream, events, expected=expected, origin=origin, occurred_at=at)


def handle_command(command: Command, log: EventStore) -> Handled[Any] | None:
    """Handle a command; None if it was refused."""
    try:
        return handle(command, _AGGREGATES[type(command)], log, origin=_ORIGIN)
    except Refused:
        return None


def all_events(log: EventStore) -> list[Recorded]:
    """All events, partition by partition, in order."""
    return [
        recorded
        for partition, head in enumerate(log.heads())
        for recorded in log.page(partition, after=0, limit=head)
    ]


def playlists_of(user: UUID) -> tuple[str, ...]:
    """The ids of the playlists that a user may create."""
    return tuple(playlist_id(str(user), PARTITIONS, bytes([nth] * 10)) for nth in range(2))


def _playlist_text(text: str | None) -> PlaylistText | None:
    return None if text is None else PlaylistText(text, EncryptedField(text))


_people, _movies = st.sampled_from(PEOPLE), st.sampled_from(MOVIES)
_texts = st.sampled_from(["", "Noir", "Émigrés", "a \N{SNOWMAN}"])
_sources = st.sampled_from(["imdb", "tmdb"])
_text_or_none = st.none() | _texts.map(_playlist_text)
_facts = st.builds(
    MovieFacts,
    title=_texts,
    year=st.none() | st.integers(1900, 2026),
    genres=st.lists(st.sampled_from(["Crime", "Drama", "War"]), unique=True).map(tuple),
    cast=st.lists(st.sampled_from(["Tautou", "Keaton"]), unique=True).map(tuple),
    overview=st.none() | _texts,
    poster_url=st.none() | st.just("https://example.org/p.jpg"),
    directors=st.lists(st.sampled_from(["Scott", "Keaton"]), unique=True).map(tuple),
    prominence=st.none() | st.integers(0, 100),
)


def _own(command: type[Any], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A command on a playlist by its owner."""
    return _people.flatmap(
        lambda owner: st.builds(
            command,
            playlist_id=st.sampled_from(playlists_of(owner)),
            user_id=st.just(owner),
            **more,
        )
    )


_opinions: st.SearchStrategy[Command] = st.builds(RateMovie, _people, _movies, st.integers(1, 10))
_withdrawing: st.SearchStrategy[Command] = st.builds(WithdrawRating, _people, _movies)
_visibilities = st.sampled_from(["private", "public"])

_collecting: st.SearchStrategy[Command] = st.one_of(
    st.builds(FavouriteMovie, _people, _movies),
    st.builds(UnfavouriteMovie, _people, _movies),
    st.builds(HideMovie, _people, _movies),
    st.builds(UnhideMovie, _people, _movies),
)
_describing: st.SearchStrategy[Command] = st.one_of(
    st.builds(
        AddMovie,
        movie_id=_movies,
        facts=_facts,
        external_ids=st.lists(st.tuples(_sources, _texts), max_size=2).map(tuple),
    ),
    st.builds(AddMovie, _movies, _facts),
    st.builds(LinkMovie, _movies, _sources, _texts),
    st.builds(WithdrawMovie, _movies, st.just("a double")),
    st.builds(RestoreMovie, _movies),
)
_listing: st.SearchStrategy[Command] = st.one_of(
    _own(
        CreatePlaylist,
        name=st.just(_playlist_text("Noir")),
        description=_text_or_none,
        visibility=_visibilities,
    ),
    _own(
        ChangePlaylist,
        name=st.just(UNSET) | st.just(_playlist_text("Heist")),
        description=st.just(UNSET) | _text_or_none,
        visibility=st.just(UNSET) | _visibilities,
    ),
    _own(RemoveMovie, movie_id=_movies),
    _own(DeletePlaylist),
)
_placing: st.SearchStrategy[Command] = _own(
    PutMovie, movie_id=_movies, position=st.none() | st.integers(0, 4)
)

_erasing: st.SearchStrategy[Command] = _people.map(
    # Commands after an erasure, at any time or by another user, count like all others.
    lambda user: EraseUser(user, playlists_of(user), has_more=True)
)

_kinds = [
    _opinions,
    _placing,
    _opinions,
    _collecting,
    _placing,
    _describing,
    _listing,
    _withdrawing,
]
commands: st.SearchStrategy[Command] = st.sampled_from([*_kinds * 5, _erasing]).flatmap(
    lambda kind: kind
)
"""Drawn evenly: hypothesis would flatten a union and favour the longest kind."""

playlist_setup: tuple[Command, ...] = tuple(
    CreatePlaylist(
        playlist_id=playlist_id, user_id=person, name=PlaylistText("Noir", EncryptedField("Noir"))
    )
    for person in PEOPLE
    for playlist_id in playlists_of(person)
)
"""Every user has playlists: otherwise few random commands would find one."""


setup_commands: tuple[Command, ...] = (
    *playlist_setup,
    *(AddMovie(movie_id, MovieFacts(title=f"M{movie_id}", year=1979)) for movie_id in MOVIES[:3]),
    *(RateMovie(person, movie_id, 5) for person in PEOPLE for movie_id in MOVIES[:2]),
    *(
        PutMovie(playlist_id=playlists_of(PEOPLE[0])[0], user_id=PEOPLE[0], movie_id=movie_id)
        for movie_id in MOVIES[:3]
    ),
    PutMovie(
        playlist_id=playlists_of(PEOPLE[0])[0], user_id=PEOPLE[0], movie_id=MOVIES[2], position=0
    ),
    RateMovie(PEOPLE[0], MOVIES[0], 9),
)
"""Commands handled before the random ones."""


def log_of(timed_commands: Sequence[tuple[Command, datetime]]) -> DatedLog:
    """A log in which these commands were handled."""
    log = DatedLog(PARTITIONS)
    for command, at in timed_commands:
        log.now = at
        handle_command(command, log)
    return log


def histories(*, since: datetime, minutes: int) -> st.SearchStrategy[DatedLog]:
    """Logs of some dozens of commands, handled within ``minutes``."""
    moments = st.integers(0, minutes * 60_000).map(lambda ms: _later(since, ms))
    timed_command = st.tuples(commands, moments)
    # By default Hypothesis mostly draws three commands or none.
    length = st.sampled_from([1, 10, 25, 40, 40, 60, 60])
    rest = length.flatmap(lambda n: st.lists(timed_command, min_size=n, max_size=n))
    timed_setup = [(command, since) for command in setup_commands]
    return (rest | rest.map(lambda timed_command: timed_setup + timed_command)).map(log_of)


def _later(since: datetime, milliseconds: int) -> datetime:
    return datetime.fromtimestamp(since.timestamp() + milliseconds / 1000, UTC)
