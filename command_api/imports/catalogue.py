"""Import of a catalogue file: each line adds or changes a movie, one transaction per batch."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie
from command_api.imports import catalogue_file
from command_api.imports.catalogue_matching import CatalogueMatch, matcher_for
from command_api.imports.line_warnings import LineWarnings, RejectedLines
from command_api.imports.session import ImportSession
from events.catalogue import MovieAdded, MovieEvent
from infra import line_reader
from infra.line_reader import FileLine
from infra.progress_bar import progress

BATCH = 1000


@dataclass
class CatalogueImportResult:
    """Counts of lines; ``read`` is the sum of added, changed, unchanged and broken."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    broken: int = 0
    matched: int = 0
    """Changed lines that were matched to a movie with another id."""
    ambiguous: int = 0
    """Added lines that could be one of several movies."""
    conflicting_ids: int = 0
    """External ids that belong to another movie."""
    unreadable_ids: int = 0
    unknown_genres: Counter[str] = field(default_factory=Counter)
    damage: str | None = None


class _ParsedLine(NamedTuple):
    number: int
    command: AddMovie | ValueError
    read_bytes: int


def import_catalogue(path: Path, session: ImportSession) -> CatalogueImportResult:
    """Import every line; raises ImportInterrupted between two batches.

    Raises DamagedFile before anything is written.
    """
    line_reader.refuse_damaged(path)
    result, rejected = CatalogueImportResult(), RejectedLines(path.name)
    conflicting_ids = LineWarnings(path.name, "ids of other movies")
    unreadable_ids = LineWarnings(path.name, "ids that can't be read")
    line_of: dict[int, int] = {}
    with progress("movies", path.stat().st_size) as advance:
        lines = _parsed_lines(path, rejected, unreadable_ids, result)
        done_bytes = 0
        while batch := list(islice(lines, BATCH)):
            matches = list(_match(batch, line_of, rejected, conflicting_ids))
            commands = [match.command for match in matches]
            decided = handle_all(commands, session.store, origin=session.origin)
            for match, events in zip(matches, decided, strict=True):
                _count(match, events, result)
            advance(batch[-1].read_bytes - done_bytes)
            done_bytes = batch[-1].read_bytes
            session.batch_done()
    rejected.sum_up()
    conflicting_ids.sum_up()
    unreadable_ids.sum_up()
    result.broken, result.damage = rejected.count, rejected.damage
    result.conflicting_ids = conflicting_ids.count
    result.unreadable_ids = unreadable_ids.count
    return result


def _parsed_lines(
    path: Path,
    rejected: RejectedLines,
    unreadable_ids: LineWarnings,
    result: CatalogueImportResult,
) -> Iterator[_ParsedLine]:
    for line in rejected.readable(line_reader.read(path)):
        result.read += 1
        parsed = _parse(line, result.unknown_genres, unreadable_ids)
        yield _ParsedLine(line.number, parsed, line.read_bytes)


def _parse(
    line: FileLine, unknown_genres: Counter[str], unreadable_ids: LineWarnings
) -> AddMovie | ValueError:
    if line.error:
        return ValueError(line.error)
    report = partial(unreadable_ids.add, line.number)
    try:
        return catalogue_file.parse(line.content, unknown_genres, report)
    except ValueError as error:
        return error


def _match(
    batch: Sequence[_ParsedLine],
    line_of: dict[int, int],
    rejected: RejectedLines,
    conflicting_ids: LineWarnings,
) -> Iterator[CatalogueMatch]:
    commands = [line.command for line in batch if isinstance(line.command, AddMovie)]
    matcher = matcher_for(commands, line_of)
    for number, command, _ in batch:
        try:
            if isinstance(command, ValueError):
                raise command
            match = matcher.match(command, number)
        except ValueError as error:
            rejected.add(number, str(error))
            continue
        for source, value in match.conflicting_ids:
            conflicting_ids.add(
                number, f"{source} {value} belongs to movie {matcher.linked[source, value]}"
            )
        if match.how == "ambiguous":
            _warn_ambiguous(rejected.name, number, match)
        yield match


def _warn_ambiguous(name: str, number: int, match: CatalogueMatch) -> None:
    """Print every ambiguous line: only this run can, since the next one finds the added movie."""
    candidates = " or ".join(map(str, match.candidates))
    movie_id = match.command.movie_id
    sys.stderr.write(f"{name}:{number}: could be movie {candidates}: added as {movie_id}\n")


def _count(
    match: CatalogueMatch, events: Sequence[MovieEvent], result: CatalogueImportResult
) -> None:
    result.matched += match.how == "matched"
    result.ambiguous += match.how == "ambiguous"
    if not events:
        result.unchanged += 1
    elif isinstance(events[0], MovieAdded):
        result.added += 1
    else:
        result.changed += 1
