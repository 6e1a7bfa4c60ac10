"""Page of a trending board: cursor and JSON."""

from collections.abc import Mapping
from typing import NamedTuple

from projectors.read_models.trending.board import MovieHeat, TrendingBoard
from projectors.read_models.trending.decay import WINDOWS, WindowName, heat_at, time_invariant
from projectors.storage import pagination
from projectors.storage.pagination import CursorPosition

PURPOSE = "trending"


class BoardPage(NamedTuple):
    """A page's entries without their cards."""

    entries: tuple[MovieHeat, ...]
    next: str | None


def paginate(
    board: TrendingBoard,
    window: WindowName,
    genre: str | None,
    *,
    limit: int,
    cursor: str | None = None,
    source: str = "",
) -> BoardPage:
    """Return a page's entries and the next cursor; raises BadSignature for a foreign cursor.

    ``source`` is empty for the community's boards.
    """
    scope = f"{window}|{genre or ''}" + (f"|{source}" if source else "")
    rest = board.after(_place(cursor, scope, board.hour, window))
    entries = tuple(rest[:limit])
    if len(rest) <= limit:
        return BoardPage(entries, None)
    value = time_invariant(entries[-1].heat, hour=board.hour, window=WINDOWS[window])
    return BoardPage(
        entries, pagination.encode_cursor(PURPOSE, scope, CursorPosition(value, entries[-1].movie))
    )


def render(board: TrendingBoard, chosen: BoardPage, cards: Mapping[int, bytes]) -> bytes:
    """Render the page as JSON; a movie without a card is left out."""
    items = (
        pagination.render_item(cards[movie], {"heat": round(heat, 3)})
        for movie, heat in chosen.entries
        if movie in cards
    )
    return pagination.render_page(items, chosen.next, {"as_of": board.as_of})


def _place(cursor: str | None, scope: str, hour: int, window: WindowName) -> CursorPosition | None:
    if cursor is None:
        return None
    position = pagination.decode_cursor(PURPOSE, scope, cursor)
    return CursorPosition(
        heat_at(position.value, hour=hour, window=WINDOWS[window]), position.movie
    )
