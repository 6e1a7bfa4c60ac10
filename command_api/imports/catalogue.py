"""How does a catalogue file become events?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from command_api.catalogue.decider import AddMovie
from command_api.catalogue.handling import handle_all
from command_api.imports import catalogue_file, lines
from command_api.imports.broken import Broken
from command_api.imports.progress import progress
from command_api.imports.run import Run
from events.catalogue import MovieAdded, MovieEvent

BATCH = 1000


@dataclass
class Outcome:
    """What became of the lines, each counted once: read is the sum of the other four."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    broken: int = 0
    unknown_genres: Counter[str] = field(default_factory=Counter)
    torn: str | None = None


class _Movie(NamedTuple):
    command: AddMovie
    read_bytes: int


def import_catalogue(path: Path, run: Run) -> Outcome:
    """Have every movie of the file, a batch a transaction; raises Interrupted between two."""
    outcome, broken = Outcome(), Broken(path.name)
    with progress("movies", path.stat().st_size) as advance:
        movies = _movies(path, broken, outcome)
        done_bytes = 0
        while batch := list(islice(movies, BATCH)):
            commands = [movie.command for movie in batch]
            for events in handle_all(commands, run.store, origin=run.origin):
                _count(events, outcome)
            advance(batch[-1].read_bytes - done_bytes)
            done_bytes = batch[-1].read_bytes
            run.batch_done()
    broken.sum_up()
    outcome.broken, outcome.torn = broken.count, broken.torn
    return outcome


def _movies(path: Path, broken: Broken, outcome: Outcome) -> Iterator[_Movie]:
    line_of: dict[int, int] = {}
    for line in lines.read(path):
        if line.is_torn:
            broken.tear(line)
            return
        if not line.content and not line.broken:
            continue
        outcome.read += 1
        try:
            yield _Movie(_parse(line, line_of, outcome.unknown_genres), line.read_bytes)
        except ValueError as error:
            broken.add(line.number, str(error))


def _parse(line: lines.Line, line_of: dict[int, int], unknown_genres: Counter[str]) -> AddMovie:
    if line.broken:
        raise ValueError(line.broken)
    command = catalogue_file.parse(line.content, unknown_genres)
    if command.movie_id in line_of:
        raise ValueError(f"id {command.movie_id} was on line {line_of[command.movie_id]} already")
    line_of[command.movie_id] = line.number
    return command


def _count(events: Sequence[MovieEvent], outcome: Outcome) -> None:
    if not events:
        outcome.unchanged += 1
    elif isinstance(events[0], MovieAdded):
        outcome.added += 1
    else:
        outcome.changed += 1
