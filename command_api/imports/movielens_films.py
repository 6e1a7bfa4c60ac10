"""How do the films of MovieLens get into the catalogue?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from command_api.catalogue import models
from command_api.catalogue.handling import handle_all
from command_api.catalogue.numbering import next_id
from command_api.imports import movielens_files as files
from command_api.imports.broken import Broken
from command_api.imports.films import Found, Known
from command_api.imports.progress import progress
from command_api.imports.run import Run

BATCH = 1000


@dataclass
class Films:
    """Which movies the films are, by MovieLens' ids, and how that was found out."""

    movies: dict[int, int] = field(default_factory=dict)
    found: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    broken: int = 0
    unknown_genres: Counter[str] = field(default_factory=Counter)


def import_films(directory: Path, run: Run) -> Films:
    """Link the films that we have and add the others, a batch a transaction."""
    result = Films()
    broken, broken_links = Broken(files.MOVIES), Broken(files.LINKS)
    links = files.links(directory, broken_links)
    films = list(files.films(directory, broken, result.unknown_genres))
    known = _known()
    with progress("films", len(films)) as advance:
        waiting = iter(films)
        while batch := list(islice(waiting, BATCH)):
            found = [known.find(film, links.get(film.movielens_id, {})) for film in batch]
            _handle(found, run)
            for film, movie in zip(batch, found, strict=True):
                result.movies[film.movielens_id] = movie.movie_id
                result.found[movie.how] += 1
                result.taken += len(movie.taken)
            advance(len(batch))
            run.batch_done()
    broken.sum_up()
    broken_links.sum_up()
    result.broken = broken.count + broken_links.count
    return result


def _known() -> Known:
    known = Known(next_id())
    for movie_id, title, year in models.Movie.objects.values_list("pk", "title", "year").iterator():
        known.add(movie_id, title, year)
    links = models.ExternalId.objects.exclude(source=models.WIKIPEDIA)
    for source, value, movie_id in links.values_list("source", "value", "movie").iterator():
        known.link(movie_id, source, value)
    return known


def _handle(found: Sequence[Found], run: Run) -> None:
    commands = [command for movie in found for command in movie.commands]
    handle_all(commands, run.store, origin=run.origin)
