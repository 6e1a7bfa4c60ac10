"""Is there such a movie?"""

from functools import lru_cache

from command_api.catalogue.models import Movie

_REMEMBERED = 200_000


class _Unknown(Exception):
    """Raised so that the cache keeps yes only: a movie may come, but none ever goes."""


def is_known(movie_id: int) -> bool:
    """Whether the catalogue has the movie; asked of the database until the answer is yes."""
    try:
        return _found(movie_id)
    except _Unknown:
        return False


def forget() -> None:
    """Ask the database again for every movie."""
    _found.cache_clear()


@lru_cache(maxsize=_REMEMBERED)
def _found(movie_id: int) -> bool:
    if not Movie.objects.filter(pk=movie_id).exists():
        raise _Unknown
    return True
