"""What is kept of a list?"""

from datetime import datetime

import msgspec

from projectors.read_models.recommendations.candidate_snapshot import Glance, Market
from projectors.read_models.recommendations.input_digest import seal_of
from projectors.read_models.recommendations.page import choose, render
from projectors.read_models.recommendations.ranking import Said, recommended
from projectors.read_models.recommendations.read_model import Listed
from projectors.storage.pagination import DEFAULT_LIMIT

pack = msgspec.msgpack.Encoder().encode
"""Writes a list down."""


def make(said: Said, market: Market, now: datetime) -> tuple[Listed, bytes]:
    """The list of someone who said this, and its first page."""
    glance = Glance(market)
    items = recommended(said, glance)
    chosen = choose(items, limit=DEFAULT_LIMIT)
    page = render(chosen, market.cards_of(item.movie for item in chosen.items))
    listed = Listed(now, items, words=said.words, market=glance.stamp)
    return msgspec.structs.replace(listed, seal=seal_of(listed, page)), page
