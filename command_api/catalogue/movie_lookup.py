"""Cached look-up of movies, and of those that are withdrawn.

Ids are read in blocks and a hit is cached for good: movies are added but never deleted. Withdrawn
movies are few and are read together, at most once a second, so a process may accept an opinion of
a movie for one second after its withdrawal.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from time import monotonic

from command_api.catalogue.models import Movie
from infra.errors import NotFound

LARGEST_ID = 2**31 - 1
FRESH_SECONDS = 1.0
_BLOCK = 1000
"""Neighbouring ids that are read together."""
_CACHED_BLOCKS = 500

_blocks: OrderedDict[int, frozenset[int]] = OrderedDict()
_withdrawn: list[tuple[float, frozenset[int]]] = []
"""When the withdrawn movies were read, and which; empty before the first look-up."""


def is_withdrawn(movie_id: int) -> bool:
    """Whether the movie was withdrawn, as of a second ago at most; raises NotFound."""
    block = movie_id // _BLOCK
    if movie_id > LARGEST_ID or not (
        movie_id in _blocks.get(block, ()) or movie_id in _read_block(block)
    ):
        raise NotFound("There is no such movie.")
    now = monotonic()
    if not _withdrawn or now - _withdrawn[0][0] >= FRESH_SECONDS:
        _withdrawn[:] = [(now, withdrawn_movies())]
    return movie_id in _withdrawn[0][1]


def find_movies(movie_ids: Collection[int]) -> Mapping[int, bool]:
    """Those of the movies that the catalogue has, and whether each is withdrawn, in one query."""
    possible = [movie_id for movie_id in movie_ids if 0 < movie_id <= LARGEST_ID]
    rows = Movie.objects.filter(pk__in=possible).values_list("pk", "status")
    return {movie_id: status == Movie.Status.WITHDRAWN for movie_id, status in rows}


def withdrawn_movies() -> frozenset[int]:
    """The ids of all withdrawn movies, read from the database."""
    withdrawn = Movie.objects.exclude(status=Movie.Status.LISTED)  # as the partial index says it
    return frozenset(withdrawn.values_list("pk", flat=True).iterator())


def clear_cache() -> None:
    _blocks.clear()
    _withdrawn.clear()


def _read_block(block: int) -> frozenset[int]:
    first = block * _BLOCK
    ids = Movie.objects.filter(pk__gte=first, pk__lt=first + _BLOCK).values_list("pk", flat=True)
    known = _blocks[block] = frozenset(ids)
    while len(_blocks) > _CACHED_BLOCKS:
        _blocks.popitem(last=False)
    return known
