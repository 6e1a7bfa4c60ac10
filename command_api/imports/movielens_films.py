"""How do the films of MovieLens get into the catalogue?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from command_api.catalogue import models
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.id_allocation import next_id
from command_api.imports.movielens_formats import MovieLensFiles
from command_api.imports.movielens_matching import How, MovieLensMatch, MovieLensMatcher
from command_api.imports.movielens_reader import MovieLensFilm, films, links
from command_api.imports.rejected_lines import RejectedLines
from command_api.imports.session import ImportSession
from infra.progress_bar import progress

BATCH = 1000


class MatchedFilm(NamedTuple):
    """A film, and which movie it is."""

    film: MovieLensFilm
    found: MovieLensMatch


@dataclass
class FilmImportResult:
    """Which movies the films are, by MovieLens' ids, and how that was found out."""

    movies: dict[int, int] = field(default_factory=dict)
    found: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    broken: int = 0
    unknown_genres: Counter[str] = field(default_factory=Counter)
    torn: list[str] = field(default_factory=list)
    each: list[MatchedFilm] = field(default_factory=list)

    def found_as(self, how: How) -> list[MatchedFilm]:
        """Those that were found out so."""
        return [each for each in self.each if each.found.how == how]


def import_films(files: MovieLensFiles, run: ImportSession) -> FilmImportResult:
    """Link the films that we have and add the others, a batch a transaction."""
    result = FilmImportResult()
    broken, broken_links = RejectedLines(files.films.name), RejectedLines(files.links.name)
    other_ids = links(files, broken_links)
    told = list(films(files, broken, result.unknown_genres))
    known = known_movies()
    for film in told:
        known.expect(film, other_ids.get(film.movielens_id, {}))
    with progress("films", len(told)) as advance:
        waiting = iter(told)
        while batch := list(islice(waiting, BATCH)):
            found = [known.find(film, other_ids.get(film.movielens_id, {})) for film in batch]
            if not run.is_dry:
                _handle(found, run)
            for film, movie in zip(batch, found, strict=True):
                result.movies[film.movielens_id] = movie.movie_id
                result.found[movie.how] += 1
                result.taken += len(movie.taken)
                result.each.append(MatchedFilm(film, movie._replace(commands=())))
            advance(len(batch))
            run.batch_done()
    broken.sum_up()
    broken_links.sum_up()
    result.broken = broken.count + broken_links.count
    result.torn = [each.torn for each in (broken, broken_links) if each.torn]
    return result


def known_movies() -> MovieLensMatcher:
    """The movies that are there, as far as recognising them goes."""
    known = MovieLensMatcher(next_id())
    rows = models.Movie.objects.values_list("pk", "title", "year")
    listed = models.Movie.Status.LISTED
    for movie_id, title, year in rows.filter(status=listed).iterator():
        known.add(movie_id, title, year)
    for movie_id, title, year in rows.exclude(status=listed).iterator():
        known.add_withdrawn(movie_id, title, year)
    links = models.ExternalId.objects.exclude(source=models.WIKIPEDIA)
    for source, value, movie_id in links.values_list("source", "value", "movie").iterator():
        known.link(movie_id, source, value)
    return known


def _handle(found: Sequence[MovieLensMatch], run: ImportSession) -> None:
    commands = [command for movie in found for command in movie.commands]
    handle_all(commands, run.store, origin=run.origin)
