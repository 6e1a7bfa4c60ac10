"""Is there such a movie?

Ids are asked for a block at a time and a yes is remembered: a movie may come, but none ever goes.
"""

from collections import OrderedDict
from collections.abc import Collection

from command_api.catalogue.models import Movie
from infra.refused import NotFound

LARGEST_ID = 2**31 - 1
_BLOCK = 1000
"""Neighbouring ids that are asked for together: one look-up serves all of them."""
_REMEMBERED_BLOCKS = 500

_blocks: OrderedDict[int, frozenset[int]] = OrderedDict()


def is_known(movie_id: int) -> bool:
    """Whether the catalogue has the movie; asked of the database until the answer is yes."""
    block = movie_id // _BLOCK
    return movie_id in _blocks.get(block, ()) or movie_id in _ask(block)


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
    _blocks.clear()


def _ask(block: int) -> frozenset[int]:
    first = block * _BLOCK
    ids = Movie.objects.filter(pk__gte=first, pk__lt=first + _BLOCK).values_list("pk", flat=True)
    found = _blocks[block] = frozenset(ids)
    while len(_blocks) > _REMEMBERED_BLOCKS:
        _blocks.popitem(last=False)
    return found
