"""How does a catalogue file become events?"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie
from command_api.imports import catalogue_file, line_reader
from command_api.imports.catalogue_matching import CatalogueMatch, matcher_for
from command_api.imports.line_warnings import LineWarnings
from command_api.imports.rejected_lines import RejectedLines
from command_api.imports.session import ImportSession
from events.catalogue import MovieAdded, MovieEvent
from infra.progress_bar import progress

BATCH = 1000


@dataclass
class CatalogueImportResult:
    """What became of the lines: read is the sum of added, changed, unchanged and broken."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    broken: int = 0
    matched: int = 0
    """Of the changed ones: were found to be a movie with another id."""
    ambiguous: int = 0
    """Of the added ones: could be several movies with another id."""
    taken: int = 0
    """Ids of other sources that belong to another movie."""
    unknown_genres: Counter[str] = field(default_factory=Counter)
    torn: str | None = None


class _Line(NamedTuple):
    number: int
    said: AddMovie | ValueError
    read_bytes: int


def import_catalogue(path: Path, run: ImportSession) -> CatalogueImportResult:
    """Have every movie of the file, a batch a transaction; raises ImportInterrupted between two."""
    outcome, broken = CatalogueImportResult(), RejectedLines(path.name)
    taken = LineWarnings(path.name, "ids of other movies")
    line_of: dict[int, int] = {}
    with progress("movies", path.stat().st_size) as advance:
        told = _lines(path, broken, outcome)
        done_bytes = 0
        while batch := list(islice(told, BATCH)):
            found = list(_recognise(batch, line_of, broken, taken))
            commands = [each.command for each in found]
            decided = handle_all(commands, run.store, origin=run.origin)
            for each, events in zip(found, decided, strict=True):
                _count(each, events, outcome)
            advance(batch[-1].read_bytes - done_bytes)
            done_bytes = batch[-1].read_bytes
            run.batch_done()
    broken.sum_up()
    taken.sum_up()
    outcome.broken, outcome.torn = broken.count, broken.torn
    outcome.taken = taken.count
    return outcome


def _lines(path: Path, broken: RejectedLines, outcome: CatalogueImportResult) -> Iterator[_Line]:
    for line in line_reader.read(path):
        if line.is_torn:
            broken.tear(line)
            return
        if not line.content and not line.broken:
            continue
        outcome.read += 1
        yield _Line(line.number, _parse(line, outcome.unknown_genres), line.read_bytes)


def _parse(line: line_reader.FileLine, unknown_genres: Counter[str]) -> AddMovie | ValueError:
    if line.broken:
        return ValueError(line.broken)
    try:
        return catalogue_file.parse(line.content, unknown_genres)
    except ValueError as error:
        return error


def _recognise(
    batch: Sequence[_Line], line_of: dict[int, int], broken: RejectedLines, taken: LineWarnings
) -> Iterator[CatalogueMatch]:
    known = matcher_for([line.said for line in batch if isinstance(line.said, AddMovie)], line_of)
    for number, said, _ in batch:
        try:
            if isinstance(said, ValueError):
                raise said
            found = known.find(said, number)
        except ValueError as error:
            broken.add(number, str(error))
            continue
        for source, value in found.taken:
            taken.add(number, f"{source} {value} belongs to movie {known.linked[source, value]}")
        if found.how == "ambiguous":
            _tell_doubtful(broken.name, number, found)
        yield found


def _tell_doubtful(name: str, number: int, found: CatalogueMatch) -> None:
    """All of them, while it is undecided: when the file is read again they are there."""
    could_be = " or ".join(map(str, found.possible))
    movie_id = found.command.movie_id
    sys.stderr.write(f"{name}:{number}: could be movie {could_be}: added as {movie_id}\n")


def _count(
    found: CatalogueMatch, events: Sequence[MovieEvent], outcome: CatalogueImportResult
) -> None:
    outcome.matched += found.how == "matched"
    outcome.ambiguous += found.how == "ambiguous"
    if not events:
        outcome.unchanged += 1
    elif isinstance(events[0], MovieAdded):
        outcome.added += 1
    else:
        outcome.changed += 1
