"""Deduplication of imported ratings against the log, by what they say.

A rating is already there if its stream in the log has it, or gave the same score at its time. A
later one is appended: an import that was stopped, even by a power cut, resumes at the next rating,
and a newer export of a data set changes what its users have rated again since. An older rating is
left out, for events can't be inserted before others.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple

from command_api.imports.ratings_sort import TimedRating
from command_api.ratings.decider import RateMovie, RatingState, rating
from events.catalogue import MovieRated, Score
from events.recorded import Recorded, Stream
from events.store import AppendEntry


class LoggedScore(NamedTuple):
    score: Score
    at: datetime


_at = attrgetter("at")


@dataclass(slots=True)
class StreamProgress:
    """State of one rating's stream while the file is read."""

    version: int = 0
    state: RatingState = rating.initial
    logged: Sequence[LoggedScore] = ()
    """Scores that the log had before this run, since the rating was last withdrawn, in time."""
    is_extended: bool = False
    """Whether this run has appended to the stream."""

    def is_in_log(self, score: Score, at: datetime) -> bool:
        """Whether the log has the rating, or had this score in force at its time."""
        until_then = bisect_right(self.logged, at, key=_at)
        if self.is_extended or not until_then:
            return False
        first = bisect_left(self.logged, at, key=_at)
        return self.logged[until_then - 1].score == score or any(
            logged.score == score for logged in self.logged[first:until_then]
        )

    def is_outdated(self, at: datetime) -> bool:
        """Whether the log has a later rating."""
        return bool(self.logged) and at < self.logged[-1].at


class AppendPlan(NamedTuple):
    """Events to append; the counts add up to the batch."""

    entries: Sequence[AppendEntry]
    imported: int
    rerated: int
    already_there: int
    outdated: int
    """Ratings that the log lacks, older than the one that it has."""


def progress_after(history: Sequence[Recorded]) -> StreamProgress:
    """The progress of a stream that has these events in the log."""
    logged = [
        LoggedScore(event.score, recorded.occurred_at)
        for recorded in takewhile(lambda each: isinstance(each.event, MovieRated), history[::-1])
        if isinstance(event := recorded.event, MovieRated)
    ]
    logged.reverse()
    return StreamProgress(len(history), rating.state(history), sorted(logged, key=_at))


def unknown_streams(
    batch: Sequence[TimedRating], progress: Mapping[str, StreamProgress]
) -> list[Stream]:
    """The streams whose events must be read from the log."""
    streams = {rating.stream(rated.command) for rated in batch}
    return [stream for stream in streams if stream.name not in progress]


def plan(batch: Sequence[TimedRating], progress: Mapping[str, StreamProgress]) -> AppendPlan:
    """Plan what the batch appends; advances ``progress``."""
    entries: list[AppendEntry] = []
    imported = rerated = already_there = outdated = 0
    for command, at in batch:
        stream = rating.stream(command)
        reached = progress[stream.name]
        if reached.is_in_log(command.score, at):
            already_there += 1
        elif reached.is_outdated(at):
            outdated += 1
        else:
            is_first = reached.state.score is None
            appended = list(_appended(command, at, stream, reached))
            imported += is_first
            rerated += not is_first and bool(appended)
            already_there += not appended
            entries += appended
    return AppendPlan(entries, imported, rerated, already_there, outdated)


def _appended(
    command: RateMovie, at: datetime, stream: Stream, reached: StreamProgress
) -> Iterator[AppendEntry]:
    """What a rating appends to its stream: nothing if this run has just given the same score."""
    events = rating.decide(command, reached.state)
    reached.state = reduce(rating.evolve, events, reached.state)
    reached.is_extended = True
    for event in events:
        reached.version += 1
        yield AppendEntry(stream, reached.version, event, at)
