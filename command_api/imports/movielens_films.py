"""Import of MovieLens films: link those that the catalogue has, add the others, write a report."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from command_api.catalogue import models
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.id_allocation import next_id
from command_api.imports.data_sets import DataSet
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.log_histories import former_titles
from command_api.imports.movielens_formats import MovieLensFiles
from command_api.imports.movielens_matching import How, MovieLensMatch, MovieLensMatcher
from command_api.imports.movielens_reader import MovieLensFilm, films, links
from command_api.imports.session import ImportSession
from infra.progress_bar import progress

BATCH = 1000
_REPORT_HEADER = ("movielens_id", "title", "how", "movie_id", "possible")


class MatchedFilm(NamedTuple):
    film: MovieLensFilm
    match: MovieLensMatch


@dataclass
class FilmImportResult:
    movies: dict[int, int] = field(default_factory=dict)
    """Movie id by MovieLens' id."""
    how: Counter[str] = field(default_factory=Counter)
    conflicting_ids: int = 0
    """External ids that belong to another movie."""
    broken: int = 0
    unreadable_links: int = 0
    """Lines of links.csv, and ids on them, that can't be read."""
    unknown_genres: Counter[str] = field(default_factory=Counter)
    damages: list[str] = field(default_factory=list)
    films: list[MatchedFilm] = field(default_factory=list)

    def matched_as(self, how: How) -> list[MatchedFilm]:
        return [matched for matched in self.films if matched.match.how == how]


def import_films(
    files: MovieLensFiles, data_set: DataSet, session: ImportSession
) -> FilmImportResult:
    """Match all films and write links and new movies, one transaction per batch."""
    result = FilmImportResult()
    rejected, rejected_links = RejectedLines(files.films.name), RejectedLines(files.links.name)
    external_ids = links(files, rejected_links)
    all_films = list(films(files, rejected, result.unknown_genres))
    matcher = load_matcher(data_set)
    for film in all_films:
        matcher.expect(film, external_ids.get(film.movielens_id, {}))
    doubted = (matcher.doubted(film, external_ids.get(film.movielens_id, {})) for film in all_films)
    for former in former_titles({movie for movie in doubted if movie is not None}, session.store):
        matcher.add_former_title(*former)
    with progress("films", len(all_films)) as advance:
        waiting = iter(all_films)
        while batch := list(islice(waiting, BATCH)):
            matches = [
                matcher.match(film, external_ids.get(film.movielens_id, {})) for film in batch
            ]
            if not session.is_dry:
                _handle(matches, session)
            for film, match in zip(batch, matches, strict=True):
                result.movies[film.movielens_id] = match.movie_id
                result.how[match.how] += 1
                result.conflicting_ids += len(match.conflicting_ids)
                result.films.append(MatchedFilm(film, match._replace(commands=())))
            advance(len(batch))
            session.batch_done()
    rejected.sum_up()
    rejected_links.sum_up()
    result.broken, result.unreadable_links = rejected.count, rejected_links.count
    result.damages = [each.damage for each in (rejected, rejected_links) if each.damage]
    return result


def load_matcher(data_set: DataSet) -> MovieLensMatcher:
    """A matcher that knows all movies of the catalogue; withdrawn ones come last."""
    matcher = MovieLensMatcher(next_id(), data_set.source)
    rows = models.Movie.objects.values_list("pk", "title", "year")
    listed = models.Movie.Status.LISTED
    for movie_id, title, year in rows.filter(status=listed).iterator():
        matcher.add(movie_id, title, year)
    for movie_id, title, year in rows.exclude(status=listed).iterator():
        matcher.add_withdrawn(movie_id, title, year)
    ids = models.ExternalId.objects.exclude(source=models.WIKIPEDIA)
    for source, value, movie_id in ids.values_list("source", "value", "movie").iterator():
        matcher.link(movie_id, source, value)
    return matcher


def write_report(path: Path, films: Iterable[MatchedFilm]) -> None:
    """Write a CSV line per film: its movie, how it was matched, and other candidates."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(_REPORT_HEADER)
        for film, match in films:
            candidates = " ".join(map(str, match.candidates))
            name = name_of(film)
            rows.writerow((film.movielens_id, name, match.how, match.movie_id, candidates))


def name_of(film: MovieLensFilm) -> str:
    title, year, _ = film.title
    return f"{title} ({year})" if year else title


def _handle(matches: Sequence[MovieLensMatch], session: ImportSession) -> None:
    commands = [command for match in matches for command in match.commands]
    handle_all(commands, session.store, origin=session.origin)
