"""Is there such a movie?

Ids are asked for a block at a time and a yes is remembered: a movie may come, but none ever goes.
"""

from collections import OrderedDict

from command_api.catalogue.models import Movie

_BLOCK = 1000
"""Neighbouring ids that are asked for together: one look-up serves all of them."""
_REMEMBERED_BLOCKS = 500

_blocks: OrderedDict[int, frozenset[int]] = OrderedDict()


def is_known(movie_id: int) -> bool:
    """Whether the catalogue has the movie; asked of the database until the answer is yes."""
    block = movie_id // _BLOCK
    return movie_id in _blocks.get(block, ()) or movie_id in _ask(block)


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
