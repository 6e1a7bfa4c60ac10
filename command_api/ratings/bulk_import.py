"""Bulk import of a user's ratings, each with its own time, in one append.

For each movie the latest rating of the list counts, unless the log has a later one. So an import
never overwrites newer ratings, and the same list sent again changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from command_api.aggregate import MAX_ATTEMPTS, partition_start
from command_api.catalogue.decider import WITHDRAWN
from command_api.ratings.decider import RateMovie, rating
from events.catalogue import Score
from events.recorded import Origin, Position, Recorded, Stream
from events.store import AppendEntry, EventStore, WrongExpectedVersion
from infra.client_times import is_future
from infra.errors import FieldError

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Earlier times are mistakes: no program kept ratings of films before that."""


class RatingInput(NamedTuple):
    """A rating of the list, with a time in UTC; without one it counts as given now."""

    movie_id: int
    score: Score
    at: datetime | None = None


class RatingOutcome(NamedTuple):
    """What became of a rating: appended, valid without changing anything, or invalid."""

    result: Literal["taken", "unchanged", "refused"]
    reason: str = ""
    errors: Sequence[FieldError] = ()


APPENDED = RatingOutcome("taken")


class ImportResult(NamedTuple):
    """The outcome of each rating by its index, and the position after all of them."""

    outcomes: Mapping[int, RatingOutcome]
    position: Position


def reject_invalid(
    given: RatingInput, *, movies: Mapping[int, bool], now: datetime
) -> RatingOutcome | None:
    """Why a rating is rejected; ``movies`` tells of each known movie whether it is withdrawn."""
    errors = []
    if given.movie_id not in movies:
        errors.append(FieldError("movie_id", "There is no such movie."))
    elif movies[given.movie_id]:
        errors.append(FieldError("movie_id", WITHDRAWN))
    if given.at is not None and is_future(given.at, now=now):
        errors.append(FieldError("rated_at", "rated_at must not be in the future."))
    if given.at is not None and given.at < EARLIEST:
        errors.append(FieldError("rated_at", f"rated_at must not be before {EARLIEST.year}."))
    return RatingOutcome("refused", errors=errors) if errors else None


def import_ratings(
    user_id: UUID,
    ratings: Mapping[int, RatingInput],
    store: EventStore,
    *,
    now: datetime,
    origin: Origin,
) -> ImportResult:
    """Append the ratings that change something; plan again if one of the streams moved.

    Times after ``now`` are of clocks that are ahead, and become ``now``.
    """
    ratings = {nth: it._replace(at=it.at and min(it.at, now)) for nth, it in ratings.items()}
    for _ in range(MAX_ATTEMPTS - 1):
        with suppress(WrongExpectedVersion):
            return _attempt(user_id, ratings, store, now, origin)
    return _attempt(user_id, ratings, store, now, origin)


def _attempt(
    user_id: UUID,
    ratings: Mapping[int, RatingInput],
    store: EventStore,
    now: datetime,
    origin: Origin,
) -> ImportResult:
    movies = {given.movie_id for given in ratings.values()}
    histories = store.read_many([_stream(user_id, movie) for movie in movies])
    entries, outcomes = plan(user_id, ratings, histories, now=now)
    positions = store.append_many(entries, origin=origin) if entries else ()
    existing = [history[-1].position for history in histories.values()]
    start = partition_start(_stream(user_id, 0), store)
    return ImportResult(outcomes, max([*(positions or existing), start]))


def plan(
    user_id: UUID,
    ratings: Mapping[int, RatingInput],
    histories: Mapping[str, Sequence[Recorded]],
    *,
    now: datetime,
) -> tuple[Sequence[AppendEntry], Mapping[int, RatingOutcome]]:
    """Return the events to append, and the outcome of each rating by its index in the list."""
    last = _last_of_each_movie(ratings, now)
    entries: list[AppendEntry] = []
    outcomes: dict[int, RatingOutcome] = {}
    for nth, given in sorted(ratings.items(), key=lambda item: item[1].at or now):
        if last[given.movie_id] != nth:
            outcomes[nth] = _unchanged("The list has a later rating of this movie.")
            continue
        history = histories.get(_stream(user_id, given.movie_id).name, ())
        entry = _entry(user_id, given, history)
        outcomes[nth] = APPENDED if isinstance(entry, AppendEntry) else entry
        if isinstance(entry, AppendEntry):
            entries.append(entry)
    return entries, outcomes


def _entry(
    user_id: UUID, given: RatingInput, history: Sequence[Recorded]
) -> AppendEntry | RatingOutcome:
    if given.at is not None and history and given.at < history[-1].occurred_at:
        return _unchanged("You rated this movie, or withdrew the rating, after that time.")
    command = RateMovie(user_id, given.movie_id, given.score)
    decided = rating.decide(command, rating.state(history))
    for event in decided:
        return AppendEntry(rating.stream(command), len(history) + 1, event, given.at)
    return _unchanged("You have already given this rating.")


def _unchanged(reason: str) -> RatingOutcome:
    return RatingOutcome("unchanged", reason)


def _last_of_each_movie(ratings: Mapping[int, RatingInput], now: datetime) -> Mapping[int, int]:
    """Return each movie's latest rating, by index; of two at one time the later in the list."""
    in_time: Iterable[tuple[int, RatingInput]] = sorted(
        ratings.items(), key=lambda item: (item[1].at or now, item[0])
    )
    return {given.movie_id: nth for nth, given in in_time}


def _stream(user_id: UUID, movie_id: int) -> Stream:
    return rating.stream(RateMovie(user_id, movie_id, 1))
