"""Corrections of movies that an earlier demo catalogue added, as events.

A movie is completed and corrected where it still says what that catalogue said: its title or cast,
once cleaned, is the file's. What people or other sources changed since then stays, no movie is
added, and a movie with another title or year is not of this catalogue.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from command_api.catalogue import inline_projection, models, title_keys
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie, ExternalId, MovieFacts, MovieState
from command_api.catalogue.demo.cleaning import clean_cast, clean_title
from command_api.imports import catalogue_file
from command_api.imports.session import ImportSession
from infra import line_reader
from infra.progress_bar import progress

_BATCH = 1000


@dataclass
class CorrectionCounts:
    """Counts of lines; ``read`` is the sum of the others."""

    read: int = 0
    corrected: int = 0
    unchanged: int = 0
    missing: int = 0
    """Lines without a movie here."""
    other: int = 0
    """Lines whose id belongs to another movie here."""


def correct_catalogue(path: Path, session: ImportSession) -> CorrectionCounts:
    """Correct the movies of all lines; raises ImportInterrupted between two batches.

    Raises DamagedFile before anything is written.
    """
    line_reader.refuse_damaged(path)
    counts = CorrectionCounts()
    with progress("movies", path.stat().st_size) as advance:
        lines, done_bytes = line_reader.read(path), 0
        while batch := list(islice(lines, _BATCH)):
            commands = [catalogue_file.parse(line.content, Counter()) for line in batch]
            counts.read += len(commands)
            corrections = list(_corrections(commands, counts))
            handle_all(corrections, session.store, origin=session.origin)
            counts.corrected += len(corrections)
            advance(batch[-1].read_bytes - done_bytes)
            done_bytes = batch[-1].read_bytes
            session.batch_done()
    return counts


def _corrections(lines: Sequence[AddMovie], counts: CorrectionCounts) -> Iterator[AddMovie]:
    movie_of = _movies_of([line.movie_id for line in lines])
    states = inline_projection.movie_states(list(movie_of.values()))
    taken = _taken([link for line in lines for link in line.external_ids])
    for line in lines:
        movie_id = movie_of.get(line.movie_id, line.movie_id)
        movie = states.get(movie_id)
        if movie is None or movie.facts is None:
            counts.missing += 1
        elif not _is_same(line.facts, movie.facts):
            counts.other += 1
        else:
            facts = _corrected(line.facts, movie.facts)
            links = _missing_links(line, movie, taken)
            if facts != movie.facts or links:
                yield AddMovie(movie_id, facts, links)
            else:
                counts.unchanged += 1


def _movies_of(line_ids: Sequence[int]) -> dict[int, int]:
    """The movie of each line's id; another one where an import matched the line to it."""
    ids = list(map(str, line_ids))
    matched = models.ExternalId.objects.filter(source=models.CATALOGUE, value__in=ids)
    same = models.Movie.objects.filter(pk__in=line_ids).values_list("pk", flat=True)
    by_link = {int(value): movie for value, movie in matched.values_list("value", "movie")}
    return by_link | {movie: movie for movie in same}


def _taken(links: Sequence[ExternalId]) -> set[ExternalId]:
    """The external ids that some movie has."""
    rows = models.ExternalId.objects.filter(value__in=[value for _, value in links])
    return set(rows.values_list("source", "value"))


def _is_same(line: MovieFacts, current: MovieFacts) -> bool:
    title = clean_title(current.title, current.year)
    return line.year == current.year and title_keys.key(line.title) == title_keys.key(title)


def _corrected(line: MovieFacts, current: MovieFacts) -> MovieFacts:
    """The present facts, with the line's where they are cleaner or were missing."""
    is_title_ours = clean_title(current.title, current.year) == line.title
    is_cast_ours = clean_cast(current.cast) == line.cast
    return replace(
        current,
        title=line.title if is_title_ours else current.title,
        cast=line.cast if is_cast_ours else current.cast,
        directors=current.directors or line.directors,
        prominence=current.prominence if line.prominence is None else line.prominence,
    )


def _missing_links(
    line: AddMovie, movie: MovieState, taken: set[ExternalId]
) -> tuple[ExternalId, ...]:
    """The line's external ids of sources that the movie has no id of, unless another has them."""
    known = {source for source, _ in movie.external_ids}
    return tuple(link for link in line.external_ids if link[0] not in known and link not in taken)
