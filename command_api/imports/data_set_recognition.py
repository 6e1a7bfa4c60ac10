"""Recognition of the data set that the files of a directory belong to.

They continue a data set of the log if both hold:

- the films have the same numbers: of the numbers that both use, three of four name one film;
- the users are the same people. Of a sample of users with ratings in both, half of the ratings are
  equal in score and time. Or the log has no rating of the files' users yet. Or all were changed:
  the files have every film of the data set, and a later rating for each that the log has.

Otherwise they are a new data set. Its name is made from the content of its ratings, so an import
that was interrupted resumes under the same name.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from django.db.models import Q, QuerySet

from command_api.catalogue.models import MOVIELENS, ExternalId, RatingsImport
from command_api.imports import movielens_reader
from command_api.imports.data_sets import FIRST, DataSet, of_source
from command_api.imports.deduplication import progress_after
from command_api.imports.line_warnings import RejectedLines
from command_api.imports.log_histories import former_titles, rating_histories
from command_api.imports.movielens_formats import MovieLensFiles
from command_api.imports.movielens_matching import LooseTitle, similar_titles, spellings
from command_api.imports.movielens_titles import ParsedTitle
from command_api.imports.resemblance import Resemblance, UserRatings, compare
from command_api.imports.user_sample import UserSample
from events.catalogue import MovieRated
from events.store import EventStore

_DIGEST_LETTERS = 12


class Recognition(NamedTuple):
    data_set: DataSet
    is_new: bool
    shift_seconds: int | None = None
    """By how much an earlier import shifted its times; None if no rating tells."""


@dataclass
class FilmNumbering:
    """The films of a data set in the log, compared with those of the files by number."""

    films: int = 0
    movies: dict[int, int] = field(default_factory=dict)
    """The movies of those that are the same film in the files, by number."""
    others: dict[int, int] = field(default_factory=dict)
    """The movies of those that look like another film in the files, by number."""

    @property
    def is_same(self) -> bool:
        return 3 * len(self.others) <= len(self.movies) > 0

    @property
    def is_complete(self) -> bool:
        return self.films == len(self.movies)


def recognise(
    files: MovieLensFiles, digest: str, store: EventStore, *, name: DataSet | None, now: int
) -> Recognition:
    """The data set of the log that the files continue, or a new one; or the one named."""
    if name is not None:
        return _look_up(name, files, store, now)
    numberings = _numberings(files, store)
    alike = {each: numbering for each, numbering in numberings.items() if numbering.is_same}
    resemblances = _resemblances(alike, files, store, now)
    continued = [
        data_set
        for data_set, resemblance in resemblances.items()
        if continues(alike[data_set], resemblance)
    ]
    if continued:
        # A data set that has these users goes before one that lacks them.
        data_set = max(
            continued, key=lambda each: (resemblances[each].equal, resemblances[each].known)
        )
        shift_seconds = resemblances[data_set].known_shift
        return Recognition(data_set, is_new=False, shift_seconds=shift_seconds)
    new = DataSet(digest[:_DIGEST_LETTERS]) if FIRST in numberings else FIRST
    return Recognition(new, is_new=new not in numberings)


def data_sets_in_log() -> frozenset[DataSet]:
    sources = _film_numbers().values_list("source", flat=True).distinct()
    return frozenset(map(of_source, sources))


def continues(numbering: FilmNumbering, resemblance: Resemblance) -> bool:
    """Whether files with the same film numbers have ratings of the same people."""
    if resemblance.is_same or not resemblance.known:
        return True
    return resemblance.is_superseded and numbering.is_complete


def _numberings(files: MovieLensFiles, store: EventStore) -> dict[DataSet, FilmNumbering]:
    """The numbering of each data set in the log."""
    films = movielens_reader.films(files, _unreported(files.films), Counter())
    titles = {film.movielens_id: film.title for film in films}
    numberings: dict[DataSet, FilmNumbering] = defaultdict(FilmNumbering)
    links = _film_numbers().values_list("source", "value", "movie", "movie__title", "movie__year")
    for source, value, movie_id, title, year in links.iterator():
        numbering = numberings[of_source(source)]
        if not value.isdecimal():  # the number is another film's
            continue
        numbering.films += 1
        if (film := titles.get(int(value))) is not None:
            is_same = not similar_titles(film).isdisjoint(spellings(title, year))
            (numbering.movies if is_same else numbering.others)[int(value)] = movie_id
    for numbering in numberings.values():
        if not numbering.is_same:
            _recognise_former_titles(numbering, titles, store)
    return dict(numberings)


def _film_numbers() -> QuerySet[ExternalId]:
    return ExternalId.objects.filter(Q(source=MOVIELENS) | Q(source__startswith=f"{MOVIELENS}:"))


def _recognise_former_titles(
    numbering: FilmNumbering, titles: Mapping[int, ParsedTitle], store: EventStore
) -> None:
    """Find the films whose movies have got other titles since."""
    former: dict[int, set[LooseTitle]] = defaultdict(set)
    for movie_id, title, year in former_titles(set(numbering.others.values()), store):
        former[movie_id].update(spellings(title, year))
    for number, movie_id in list(numbering.others.items()):
        if not similar_titles(titles[number]).isdisjoint(former[movie_id]):
            numbering.movies[number] = numbering.others.pop(number)


def _look_up(data_set: DataSet, files: MovieLensFiles, store: EventStore, now: int) -> Recognition:
    numbering = _numberings(files, store).get(data_set)
    if numbering is None:
        return Recognition(data_set, is_new=True)
    [resemblance] = _resemblances({data_set: numbering}, files, store, now).values()
    return Recognition(data_set, is_new=False, shift_seconds=resemblance.known_shift)


def _resemblances(
    numberings: Mapping[DataSet, FilmNumbering],
    files: MovieLensFiles,
    store: EventStore,
    now: int,
) -> dict[DataSet, Resemblance]:
    if not numberings:
        return {}
    films = {film: None for numbering in numberings.values() for film in numbering.movies}
    samples = {
        data_set: UserSample(numbering.movies, partial(_in_log, data_set, store))
        for data_set, numbering in numberings.items()
    }
    ratings = movielens_reader.ratings(files, _unreported(files.ratings), known=films, now=now)
    for rating in movielens_reader.with_progress("comparing", files.ratings, ratings):
        for sample in samples.values():
            sample.add(rating)
    shifts = set(RatingsImport.objects.values_list("shift_seconds", flat=True))
    return {data_set: compare(sample.pairs, shifts) for data_set, sample in samples.items()}


def _in_log(data_set: DataSet, store: EventStore, user: int) -> UserRatings:
    """The user's ratings that were not withdrawn."""
    return {
        last.movie_id: [
            (score, int(at.timestamp())) for score, at in progress_after(history).logged
        ]
        for page in rating_histories(data_set.user_id(user), store)
        for history in page.values()
        if isinstance(last := history[-1].event, MovieRated)
    }


def _unreported(path: Path) -> RejectedLines:
    """The import reads the file again and reports its broken lines."""
    return RejectedLines(path.name, out=StringIO())
