"""How does a page of recommendations look?"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from projectors.read_models.recommendations.genre_affinity import RecommendationReason
from projectors.storage import pagination
from projectors.storage.pagination import CursorPosition

PURPOSE = "recommendations"


class RecommendedMovie(msgspec.Struct, frozen=True, array_like=True):
    """A movie recommended to someone."""

    movie: int
    score: float
    genres: tuple[str, ...]
    reasons: tuple[RecommendationReason, ...]


class RecommendationPage(NamedTuple):
    """What is on a page, before anyone has looked up the cards."""

    items: tuple[RecommendedMovie, ...]
    next: str | None


def paginate(
    items: Sequence[RecommendedMovie],
    genre: str | None = None,
    *,
    limit: int,
    cursor: str | None = None,
) -> RecommendationPage:
    """A page's items and the cursor of the next one; raises BadSignature for a strange cursor."""
    scope = genre or ""
    rest = [item for item in items if genre is None or genre in item.genres]
    if cursor is not None:
        place = pagination.decode_cursor(PURPOSE, scope, cursor)
        rest = [item for item in rest if (-item.score, item.movie) > (-place.value, place.movie)]
    shown = tuple(rest[:limit])
    if len(rest) <= limit:
        return RecommendationPage(shown, None)
    return RecommendationPage(
        shown,
        pagination.encode_cursor(PURPOSE, scope, CursorPosition(shown[-1].score, shown[-1].movie)),
    )


def render(chosen: RecommendationPage, cards: Mapping[int, bytes]) -> bytes:
    """The page as JSON; a movie without a card is left out."""
    items = (
        pagination.render_item(cards[item.movie], {"score": item.score, "reasons": item.reasons})
        for item in chosen.items
        if item.movie in cards
    )
    return pagination.render_page(items, chosen.next)
