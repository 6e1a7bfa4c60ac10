"""What was a list made of, and is it still as it was made?

Three digests are kept with each list: ``words``, of what was said; ``market``, of what was seen of
the market; and the ``seal``, of the list with these two and its first page. So it is known of a
list that is minutes old, whose market is gone, whether anything but its maker wrote it and whether
it is of the right words; and of which list it can be said what it must be.
"""

from hashlib import blake2b

import msgspec

from projectors.read_models.recommendations.read_model import Listed

_BYTES = 8

_pack = msgspec.msgpack.Encoder().encode


def digest(*parts: object) -> bytes:
    """A short digest of these, in order; what has no order of its own comes sorted."""
    return blake2b(_pack(parts), digest_size=_BYTES).digest()


def seal_of(listed: Listed, page: bytes) -> bytes:
    """The seal that belongs to a list and its page."""
    return digest(listed.made_at, listed.items, listed.words, listed.market, page)
