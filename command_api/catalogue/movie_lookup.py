"""Is there such a movie, and may people still have opinions of it?

Ids are asked for a block at a time and a yes is remembered: a movie may come, but none ever goes.
Which are withdrawn is asked at most once a second, all of them together, for they are few: so a
process may take an opinion for a second more than it should.
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
"""Neighbouring ids that are asked for together: one look-up serves all of them."""
_REMEMBERED_BLOCKS = 500

_blocks: OrderedDict[int, frozenset[int]] = OrderedDict()
_NEVER: tuple[float, Mapping[int, Availability]] = (float("-inf"), MappingProxyType({}))
_withdrawn = [_NEVER]


def is_known(movie_id: int) -> bool:
    """Whether the catalogue has the movie; asked of the database until the answer is yes."""
    block = movie_id // _BLOCK
    return movie_id in _blocks.get(block, ()) or movie_id in _ask(block)


def availability_of(movie_id: int) -> Availability:
    """How the movie stands, as of a second ago; raises NotFound when the catalogue lacks it."""
    if movie_id > LARGEST_ID or not is_known(movie_id):
        raise NotFound("There is no such movie.")
    return _all_withdrawn().get(movie_id, AVAILABLE)


def availabilities_of(movie_ids: Collection[int]) -> Mapping[int, Availability]:
    """How those of the movies stand now that the catalogue has, in one question."""
    possible = [movie_id for movie_id in movie_ids if 0 < movie_id <= LARGEST_ID]
    found = Movie.objects.filter(pk__in=possible).values_list("pk", "status")
    return {movie_id: _availability(status) for movie_id, status in found}


def withdrawn_movies() -> Mapping[int, Availability]:
    """The movies that are withdrawn now."""
    found = Movie.objects.exclude(status=Movie.Status.LISTED).values_list("pk", "status")
    return {movie_id: _availability(status) for movie_id, status in found.iterator()}


def forget() -> None:
    """Ask the database again for every movie."""
    _blocks.clear()
    _withdrawn[0] = _NEVER


def _all_withdrawn() -> Mapping[int, Availability]:
    asked, known = _withdrawn[0]
    if monotonic() - asked < FRESH_SECONDS:
        return known
    now = monotonic()
    known = withdrawn_movies()
    _withdrawn[0] = now, known
    return known


def _availability(status: str) -> Availability:
    return Availability(is_withdrawn=status == Movie.Status.WITHDRAWN)


def _ask(block: int) -> frozenset[int]:
    first = block * _BLOCK
    ids = Movie.objects.filter(pk__gte=first, pk__lt=first + _BLOCK).values_list("pk", flat=True)
    found = _blocks[block] = frozenset(ids)
    while len(_blocks) > _REMEMBERED_BLOCKS:
        _blocks.popitem(last=False)
    return found
