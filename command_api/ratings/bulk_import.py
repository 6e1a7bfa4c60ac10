"""What becomes of many ratings that a user brings along?

Each may have a time of its own. For each movie the latest of the list counts, unless the log has a
later opinion: so history never undoes what came after it, and the same list sent again changes
nothing. All of a list is one append.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from command_api.aggregate import MAX_ATTEMPTS, partition_start
from command_api.catalogue.availability import WITHDRAWN, Availability
from command_api.ratings.decider import RateMovie, rating
from events.catalogue import Score
from events.recorded import Origin, Position, Recorded, Stream
from events.store import AppendEntry, EventStore, WrongExpectedVersion
from infra.errors import FieldError

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Nobody rated films for a program to keep before that; such times are mistakes."""


class RatingInput(NamedTuple):
    """A rating of the list; without a time it is of now."""

    movie_id: int
    score: Score
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RatingAppended:
    """It is in the log now."""


@dataclass(frozen=True, slots=True)
class RatingUnchanged:
    """It was read, and changes nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class RatingRejected:
    """It can't be taken."""

    errors: Sequence[FieldError]


class ImportPlan(NamedTuple):
    """What to append; and what becomes of each rating, by its place in the list."""

    entries: Sequence[AppendEntry]
    outcomes: Mapping[int, RatingAppended | RatingUnchanged]


class ImportResult(NamedTuple):
    """What became of each, and the place in the log after all of them."""

    outcomes: Mapping[int, RatingAppended | RatingUnchanged]
    position: Position


def reject_invalid(
    brought: RatingInput, *, availabilities: Mapping[int, Availability], now: datetime
) -> RatingRejected | None:
    """Why a rating is rejected; ``availabilities`` holds every known movie."""
    errors = []
    if (availability := availabilities.get(brought.movie_id)) is None:
        errors.append(FieldError("movie_id", "There is no such movie."))
    elif availability.is_withdrawn:
        errors.append(FieldError("movie_id", WITHDRAWN))
    if brought.at is not None and brought.at > now:
        errors.append(FieldError("rated_at", "This is in the future."))
    if brought.at is not None and brought.at < EARLIEST:
        errors.append(FieldError("rated_at", f"This is before {EARLIEST.year}."))
    return RatingRejected(errors) if errors else None


def import_ratings(
    user_id: UUID,
    ratings: Mapping[int, RatingInput],
    store: EventStore,
    *,
    now: datetime,
    origin: Origin,
) -> ImportResult:
    """Append what is news, all at once; plan again when somebody rated meanwhile."""
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return _attempt(user_id, ratings, store, now, origin)
        except WrongExpectedVersion:
            continue
    return _attempt(user_id, ratings, store, now, origin)


def _attempt(
    user_id: UUID,
    ratings: Mapping[int, RatingInput],
    store: EventStore,
    now: datetime,
    origin: Origin,
) -> ImportResult:
    movies = {brought.movie_id for brought in ratings.values()}
    histories = store.read_many([_stream(user_id, movie) for movie in movies])
    planned = plan(user_id, ratings, histories, now=now)
    positions = store.append_many(planned.entries, origin=origin) if planned.entries else ()
    there = [history[-1].position for history in histories.values()]
    start = partition_start(_stream(user_id, 0), store)
    return ImportResult(planned.outcomes, max([*(positions or there), start]))


def plan(
    user_id: UUID,
    ratings: Mapping[int, RatingInput],
    histories: Mapping[str, Sequence[Recorded]],
    *,
    now: datetime,
) -> ImportPlan:
    """What a list adds to what is in the log."""
    last = _last_of_each_movie(ratings, now)
    entries: list[AppendEntry] = []
    outcomes: dict[int, RatingAppended | RatingUnchanged] = {}
    for nth, brought in sorted(ratings.items(), key=lambda item: item[1].at or now):
        if last[brought.movie_id] != nth:
            outcomes[nth] = RatingUnchanged("The list has a later one of this movie.")
            continue
        history = histories.get(_stream(user_id, brought.movie_id).name, ())
        news = _news(user_id, brought, history)
        outcomes[nth] = RatingAppended() if isinstance(news, AppendEntry) else news
        if isinstance(news, AppendEntry):
            entries.append(news)
    return ImportPlan(entries, outcomes)


def _news(
    user_id: UUID, brought: RatingInput, history: Sequence[Recorded]
) -> AppendEntry | RatingUnchanged:
    if brought.at is not None and history and brought.at < history[-1].occurred_at:
        return RatingUnchanged("You rated it, or took the rating back, after that.")
    command = RateMovie(user_id, brought.movie_id, brought.score)
    decided = rating.decide(command, rating.state(history, since=rating.initial))
    for event in decided:
        return AppendEntry(rating.stream(command), len(history) + 1, event, brought.at)
    return RatingUnchanged("This is your rating already.")


def _last_of_each_movie(ratings: Mapping[int, RatingInput], now: datetime) -> Mapping[int, int]:
    """By movie; of two at one time the one that comes later in the list."""
    in_time: Iterable[tuple[int, RatingInput]] = sorted(
        ratings.items(), key=lambda item: (item[1].at or now, item[0])
    )
    return {brought.movie_id: nth for nth, brought in in_time}


def _stream(user_id: UUID, movie_id: int) -> Stream:
    return rating.stream(RateMovie(user_id, movie_id, 1))
