"""Which ratings of a batch become events, and which are in the log already?

The events of a user's opinion of a movie follow from the file alone. So the log's number of them
says how many are there: an import that was stopped, even by a power cut, goes on with the next.
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
    """How far the file has told a user's opinion of a movie."""

    in_log: int
    """How many of its events were in the log before this run."""
    version: int = 0
    state: RatingState = rating.initial


class AppendPlan(NamedTuple):
    """What to append; and each rating of the batch, counted once."""

    entries: Sequence[AppendEntry]
    imported: int
    rerated: int
    there: int


def unseen(batch: Sequence[TimedRating], told: Mapping[str, StreamProgress]) -> list[Stream]:
    """The streams of which the number of events must be asked for."""
    streams = {rating.stream(rated.command) for rated in batch}
    return [stream for stream in streams if stream.name not in told]


def plan(batch: Sequence[TimedRating], told: Mapping[str, StreamProgress]) -> AppendPlan:
    """What the batch adds to the log; moves ``told`` on."""
    entries: list[AppendEntry] = []
    imported = rerated = there = 0
    for command, at in batch:
        stream = rating.stream(command)
        opinion = told[stream.name]
        is_first = opinion.version == 0
        events = rating.decide(command, opinion.state)
        opinion.state = reduce(rating.evolve, events, opinion.state)
        for event in events:
            opinion.version += 1
            if opinion.version > opinion.in_log:
                entries.append(AppendEntry(stream, opinion.version, event, at))
        if opinion.version <= opinion.in_log:
            there += 1
        elif is_first:
            imported += 1
        else:
            rerated += 1
    return AppendPlan(entries, imported, rerated, there)
