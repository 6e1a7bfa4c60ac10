"""Deduplication of imported ratings against the log.

The events of a user's rating of a movie follow from the file alone. So the length of the stream in
the log says how many of them are there: an import that was stopped, even by a power cut, resumes
at the next rating.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from command_api.imports.ratings_sort import TimedRating
from command_api.ratings.decider import RatingState, rating
from events.recorded import Stream
from events.store import AppendEntry


@dataclass(slots=True)
class StreamProgress:
    """State of one rating's stream while the file is read."""

    in_log: int
    """Number of its events that were in the log before this run."""
    version: int = 0
    state: RatingState = rating.initial


class AppendPlan(NamedTuple):
    """Events to append; the counts add up to the batch."""

    entries: Sequence[AppendEntry]
    imported: int
    rerated: int
    already_there: int


def unknown_streams(
    batch: Sequence[TimedRating], progress: Mapping[str, StreamProgress]
) -> list[Stream]:
    """The streams whose length must be read from the log."""
    streams = {rating.stream(rated.command) for rated in batch}
    return [stream for stream in streams if stream.name not in progress]


def plan(batch: Sequence[TimedRating], progress: Mapping[str, StreamProgress]) -> AppendPlan:
    """Plan what the batch appends; advances ``progress``."""
    entries: list[AppendEntry] = []
    imported = rerated = already_there = 0
    for command, at in batch:
        stream = rating.stream(command)
        reached = progress[stream.name]
        is_first = reached.version == 0
        events = rating.decide(command, reached.state)
        reached.state = reduce(rating.evolve, events, reached.state)
        for event in events:
            reached.version += 1
            if reached.version > reached.in_log:
                entries.append(AppendEntry(stream, reached.version, event, at))
        if reached.version <= reached.in_log:
            already_there += 1
        elif is_first:
            imported += 1
        else:
            rerated += 1
    return AppendPlan(entries, imported, rerated, already_there)
