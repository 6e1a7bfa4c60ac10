"""Candidates for a match: movies with a film's title and year, filtered by cast."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeAlias

from django.db.models import QuerySet

from command_api.catalogue.models import Casting, Movie

TitleAndYear: TypeAlias = tuple[str, int]  # title_keys.key and year


class TitleCandidate(NamedTuple):
    """A movie with a film's title and year, and its cast."""

    movie_id: int
    cast: frozenset[str]
    is_withdrawn: bool = False


def plausible(candidates: Iterable[TitleCandidate], cast: frozenset[str]) -> list[TitleCandidate]:
    """Drop candidates with a disjoint cast; if exactly one shares a cast member, keep only that.

    Withdrawn movies remain only if no other does.
    """
    remaining = [each for each in candidates if not each.cast or not cast or cast & each.cast]
    remaining = [each for each in remaining if not each.is_withdrawn] or remaining
    sharing = [each for each in remaining if not cast.isdisjoint(each.cast)]
    return sharing if len(sharing) == 1 else remaining


def candidates_by_title(
    names: Iterable[TitleAndYear], *, among: QuerySet[Movie]
) -> dict[TitleAndYear, list[TitleCandidate]]:
    """The movies of ``among`` with one of these titles and years."""
    titles = set(names)
    rows = among.filter(
        title_key__in={key for key, _ in titles}, year__in={year for _, year in titles}
    ).values_list("pk", "title_key", "year", "status")
    movies = [
        (pk, (key, year), status == Movie.Status.WITHDRAWN)
        for pk, key, year, status in rows
        if year and (key, year) in titles
    ]
    casts = casts_of([pk for pk, *_ in movies])
    candidates: dict[TitleAndYear, list[TitleCandidate]] = defaultdict(list)
    for pk, name, is_withdrawn in movies:
        candidates[name].append(TitleCandidate(pk, frozenset(casts[pk]), is_withdrawn))
    return dict(candidates)


def casts_of(movies: Collection[int]) -> dict[int, set[str]]:
    casts: dict[int, set[str]] = defaultdict(set)
    billed = Casting.objects.filter(movie__in=movies)
    for movie, name in billed.values_list("movie", "person__name"):
        casts[movie].add(name)
    return casts
