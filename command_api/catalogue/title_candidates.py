"""Which of our movies have a film's title and year, and which of these can it be?"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeAlias

from django.db.models import QuerySet

from command_api.catalogue.models import Casting, Movie

TitleAndYear: TypeAlias = tuple[str, int]  # what a title's spellings share, and a year


class TitleCandidate(NamedTuple):
    """A movie of ours with a film's title and year, and who plays in it."""

    movie_id: int
    cast: frozenset[str]
    is_withdrawn: bool = False


def possible(namesakes: Iterable[TitleCandidate], cast: frozenset[str]) -> list[TitleCandidate]:
    """Those against which the cast says nothing; of several, the only one that shares somebody.

    A withdrawn one only where no other is left.
    """
    left = [n for n in namesakes if not n.cast or not cast or not cast.isdisjoint(n.cast)]
    left = [namesake for namesake in left if not namesake.is_withdrawn] or left
    sharing = [namesake for namesake in left if not cast.isdisjoint(namesake.cast)]
    return sharing if len(sharing) == 1 else left


def candidates_by_title(
    names: Iterable[TitleAndYear], *, among: QuerySet[Movie]
) -> dict[TitleAndYear, list[TitleCandidate]]:
    """Whoever of these movies is called so."""
    wanted = set(names)
    rows = among.filter(
        title_key__in={key for key, _ in wanted}, year__in={year for _, year in wanted}
    ).values_list("pk", "title_key", "year", "status")
    movies = [
        (pk, (key, year), status == Movie.Status.WITHDRAWN)
        for pk, key, year, status in rows
        if year and (key, year) in wanted
    ]
    casts = casts_of([pk for pk, *_ in movies])
    found: dict[TitleAndYear, list[TitleCandidate]] = defaultdict(list)
    for pk, name, is_withdrawn in movies:
        found[name].append(TitleCandidate(pk, frozenset(casts[pk]), is_withdrawn))
    return dict(found)


def casts_of(movies: Collection[int]) -> dict[int, set[str]]:
    """Who plays in them."""
    casts: dict[int, set[str]] = defaultdict(set)
    billed = Casting.objects.filter(movie__in=movies)
    for movie, name in billed.values_list("movie", "person__name"):
        casts[movie].add(name)
    return casts
