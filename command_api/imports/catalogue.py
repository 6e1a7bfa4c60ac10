"""How does a catalogue file become events?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from command_api.catalogue.decider import AddMovie
from command_api.catalogue.handling import handle_all
from command_api.imports import catalogue_file, lines
from command_api.imports.broken import Broken
from command_api.imports.progress import Advance
from command_api.imports.stopping import Interrupted, IsStopping
from events.catalogue import MovieAdded
from events.recorded import Origin
from events.store import EventStore

BATCH = 1000


@dataclass
class Outcome:
    """What became of the lines: read is the sum of the other four."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    broken: int = 0
    unknown_genres: Counter[str] = field(default_factory=Counter)


class _Movie(NamedTuple):
    command: AddMovie
    read_bytes: int


def import_catalogue(
    path: Path, store: EventStore, broken: Broken, *, advance: Advance, is_stopping: IsStopping
) -> Outcome:
    """Have every movie of the file in the catalogue, a batch a transaction.

    Raises Interrupted between two batches; to run it again goes on where it stopped.
    """
    outcome = Outcome()
    origin = Origin(correlation_id=uuid4())
    movies = _movies(path, broken, outcome)
    done_bytes = 0
    while batch := list(islice(movies, BATCH)):
        _handle(batch, store, origin, outcome)
        advance(batch[-1].read_bytes - done_bytes)
        done_bytes = batch[-1].read_bytes
        if is_stopping():
            raise Interrupted
    broken.sum_up()
    return outcome


def _movies(path: Path, broken: Broken, outcome: Outcome) -> Iterator[_Movie]:
    line_of: dict[int, int] = {}
    for line in lines.read(path):
        if not line.content and not line.broken:
            continue
        outcome.read += 1
        try:
            yield _Movie(_parse(line, line_of, outcome.unknown_genres), line.read_bytes)
        except ValueError as error:
            outcome.broken += 1
            broken.add(line.number, str(error))


def _parse(line: lines.Line, line_of: dict[int, int], unknown_genres: Counter[str]) -> AddMovie:
    if line.broken:
        raise ValueError(line.broken)
    command = catalogue_file.parse(line.content, unknown_genres)
    if command.movie_id in line_of:
        raise ValueError(f"id {command.movie_id} was on line {line_of[command.movie_id]} already")
    line_of[command.movie_id] = line.number
    return command


def _handle(batch: Sequence[_Movie], store: EventStore, origin: Origin, outcome: Outcome) -> None:
    for events in handle_all([movie.command for movie in batch], store, origin=origin):
        if not events:
            outcome.unchanged += 1
        elif isinstance(events[0], MovieAdded):
            outcome.added += 1
        else:
            outcome.changed += 1
