"""Cached look-up of movies and their availability.

Ids are read in blocks and a hit is cached for good: movies are added but never deleted. Withdrawn
movies are few and are read together, at most once a second, so a process may accept an opinion of
a movie for one second after its withdrawal.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from time import monotonic
from types import MappingProxyType

from command_api.catalogue.availability import AVAILABLE, Availability
from command_api.catalogue.models import Movie
from infra.errors import NotFound

LARGEST_ID = 2**31 - 1
FRESH_SECONDS = 1.0
_BLOCK = 1000
"""Neighbouring ids that are read together."""
_CACHED_BLOCKS = 500

_blocks: OrderedDict[int, frozenset[int]] = OrderedDict()
_NEVER: tuple[float, Mapping[int, Availability]] = (float("-inf"), MappingProxyType({}))
_withdrawn = [_NEVER]


def is_known(movie_id: int) -> bool:
    """Whether the catalogue has the movie; only hits are cached."""
    block = movie_id // _BLOCK
    return movie_id in _blocks.get(block, ()) or movie_id in _read_block(block)


def availability_of(movie_id: int) -> Availability:
    """The movie's availability, at most a second old; raises NotFound."""
    if movie_id > LARGEST_ID or not is_known(movie_id):
        raise NotFound("There is no such movie.")
    return _all_withdrawn().get(movie_id, AVAILABLE)


def availabilities_of(movie_ids: Collection[int]) -> Mapping[int, Availability]:
    """The present availability of those of the movies that the catalogue has, in one query."""
    possible = [movie_id for movie_id in movie_ids if 0 < movie_id <= LARGEST_ID]
    rows = Movie.objects.filter(pk__in=possible).values_list("pk", "status")
    return {movie_id: _availability(status) for movie_id, status in rows}


def withdrawn_movies() -> Mapping[int, Availability]:
    """The movies that are withdrawn, read from the database."""
    rows = Movie.objects.exclude(status=Movie.Status.LISTED).values_list("pk", "status")
    return {movie_id: _availability(status) for movie_id, status in rows.iterator()}


def clear_cache() -> None:
    _blocks.clear()
    _withdrawn[0] = _NEVER


def _all_withdrawn() -> Mapping[int, Availability]:
    read_at, withdrawn = _withdrawn[0]
    if monotonic() - read_at < FRESH_SECONDS:
        return withdrawn
    now = monotonic()
    withdrawn = withdrawn_movies()
    _withdrawn[0] = now, withdrawn
    return withdrawn


def _availability(status: str) -> Availability:
    return Availability(is_withdrawn=status == Movie.Status.WITHDRAWN)


def _read_block(block: int) -> frozenset[int]:
    first = block * _BLOCK
    ids = Movie.objects.filter(pk__gte=first, pk__lt=first + _BLOCK).values_list("pk", flat=True)
    known = _blocks[block] = frozenset(ids)
    while len(_blocks) > _CACHED_BLOCKS:
        _blocks.popitem(last=False)
    return known
