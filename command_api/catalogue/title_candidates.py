"""Which of our movies have a film's title and year, and which of these can it be?"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeAlias

from django.db.models import QuerySet

from command_api.catalogue.models import Casting, Movie

Name: TypeAlias = tuple[str, int]  # what a title's spellings share, and a year


class Namesake(NamedTuple):
    """A movie of ours with a film's title and year, and who plays in it."""

    movie_id: int
    cast: frozenset[str]
    is_withdrawn: bool = False


def possible(namesakes: Iterable[Namesake], cast: frozenset[str]) -> list[Namesake]:
    """Those against which the cast says nothing; of several, the only one that shares somebody.

    A withdrawn one only where no other is left.
    """
    left = [n for n in namesakes if not n.cast or not cast or not cast.isdisjoint(n.cast)]
    left = [namesake for namesake in left if not namesake.is_withdrawn] or left
    sharing = [namesake for namesake in left if not cast.isdisjoint(namesake.cast)]
    return sharing if len(sharing) == 1 else left


def named(names: Iterable[Name], *, among: QuerySet[Movie]) -> dict[Name, list[Namesake]]:
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
    found: dict[Name, list[Namesake]] = defaultdict(list)
    for pk, name, is_withdrawn in movies:
        found[name].append(Namesake(pk, frozenset(casts[pk]), is_withdrawn))
    return dict(found)


def casts_of(movies: Collection[int]) -> dict[int, set[str]]:
    """Who plays in them."""
    casts: dict[int, set[str]] = defaultdict(set)
    billed = Casting.objects.filter(movie__in=movies)
    for movie, name in billed.values_list("movie", "person__name"):
        casts[movie].add(name)
    return casts
