"""Page of recommendations: cursor and JSON."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from projectors.read_models.recommendations.genre_affinity import RecommendationReason
from projectors.storage import pagination
from projectors.storage.pagination import CursorPosition

PURPOSE = "recommendations"


class RecommendedMovie(msgspec.Struct, frozen=True, array_like=True):
    movie: int
    score: float
    genres: tuple[str, ...]
    reasons: tuple[RecommendationReason, ...]


class RecommendationPage(NamedTuple):
    """A page's entries without their cards."""

    items: tuple[RecommendedMovie, ...]
    next: str | None


def paginate(
    items: Sequence[RecommendedMovie],
    genre: str | None = None,
    *,
    limit: int,
    cursor: str | None = None,
) -> RecommendationPage:
    """Return a page's entries and the next cursor; raises BadSignature for a foreign cursor."""
    scope = genre or ""
    rest = [item for item in items if genre is None or genre in item.genres]
    if cursor is not None:
        position = pagination.decode_cursor(PURPOSE, scope, cursor)
        rest = [
            item for item in rest if (-item.score, item.movie) > (-position.value, position.movie)
        ]
    shown = tuple(rest[:limit])
    if len(rest) <= limit:
        return RecommendationPage(shown, None)
    return RecommendationPage(
        shown,
        pagination.encode_cursor(PURPOSE, scope, CursorPosition(shown[-1].score, shown[-1].movie)),
    )


def render(chosen: RecommendationPage, cards: Mapping[int, bytes]) -> bytes:
    """Render the page as JSON; a movie without a card is left out."""
    items = (
        pagination.render_item(cards[item.movie], {"score": item.score, "reasons": item.reasons})
        for item in chosen.items
        if item.movie in cards
    )
    return pagination.render_page(items, chosen.next)
