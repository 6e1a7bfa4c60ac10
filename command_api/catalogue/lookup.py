"""Is there such a movie?"""

from collections.abc import Collection
from functools import lru_cache

from command_api.catalogue.models import Movie
from infra.refused import NotFound

LARGEST_ID = 2**31 - 1
_REMEMBERED = 200_000


class _Unknown(Exception):
    """Raised so that the cache keeps yes only: a movie may come, but none ever goes."""


def is_known(movie_id: int) -> bool:
    """Whether the catalogue has the movie; asked of the database until the answer is yes."""
    try:
        return _found(movie_id)
    except _Unknown:
        return False


def refuse_unknown(movie_id: int) -> None:
    """Raise NotFound when the catalogue lacks the movie."""
    if movie_id > LARGEST_ID or not is_known(movie_id):
        raise NotFound("There is no such movie.")


def known(movie_ids: Collection[int]) -> frozenset[int]:
    """Those of the movies that the catalogue has, in one question."""
    possible = [movie_id for movie_id in movie_ids if 0 < movie_id <= LARGEST_ID]
    return frozenset(Movie.objects.filter(pk__in=possible).values_list("pk", flat=True))


def forget() -> None:
    """Ask the database again for every movie."""
    _found.cache_clear()


@lru_cache(maxsize=_REMEMBERED)
def _found(movie_id: int) -> bool:
    if not Movie.objects.filter(pk=movie_id).exists():
        raise _Unknown
    return True
