"""Time travel: As-Of answers staff from the read models of a past moment, named by a label.

``manage.py rebuild --until TIME --into LABEL`` builds them. The token and visibility are
checked by the current state.
"""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

import msgspec

from events.position_token import HEADER as LOG_POSITION
from infra.errors import Forbidden, Invalid
from infra.rate_limit.sliding_window import Scope
from projectors.generations.live import Model, NoSuchPast
from projectors.read_models.library.playlists import PlaylistSummary
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.sessions.read_model import SessionRevocations
from query_api.http.request import Meta, ReadRequest, live
from query_api.visibility import is_visible

AS_OF = "As-Of"
META = "HTTP_AS_OF"
_CACHE_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization, As-Of"}


class AsOfRequest(ReadRequest):
    """A request for an answer of the past.

    Raises Unauthenticated, TooMany, Forbidden or Invalid, before it reveals whether a label exists.
    """

    is_cacheable: ClassVar[bool] = False

    def __init__(self, meta: Meta, *, needs_token: bool, scope: Scope = "read") -> None:
        super().__init__(meta, needs_token=True, scope=scope)
        self._execute()
        if self.identity is None or not self.identity.is_staff:
            raise Forbidden("Only staff may send As-Of.")
        if self.positions is not None:
            reason = f"A past moment has no new events: send {LOG_POSITION} or {AS_OF}, not both."
            raise Invalid("The headers contradict each other.", errors=[(LOG_POSITION, reason)])
        self._label = meta[META]

    def open(self, model: type[Model]) -> Model:
        """The generation of the label; raises NoSuchPast."""
        return live().open_past(model, self._label)

    def movies(self) -> Movies:
        """The movies of the label if it has them, else the live ones."""
        try:
            return self.open(Movies)
        except NoSuchPast:
            return super().open(Movies)

    def visible(
        self, playlists: Sequence[PlaylistSummary], viewer: UUID | None
    ) -> list[PlaylistSummary]:
        """The playlists that a user may see now; a playlist deleted since is private."""
        current = super().open(Library).playlists([playlist.id for playlist in playlists])
        current_by_id = {playlist.id: playlist for playlist in current}
        return [
            playlist
            for playlist in playlists
            if is_visible(current_by_id.get(playlist.id, _private(playlist)), viewer)
        ]

    def headers(self) -> dict[str, str]:
        """No Log-Age, since the answer is of a fixed moment; shared caches must not keep it."""
        return {**_CACHE_HEADERS, **(self._rate or {})}

    def _model_names(self) -> list[str]:
        """Of the live models only the sessions, which show whether the token is revoked."""
        return [SessionRevocations.name]


def _private(playlist: PlaylistSummary) -> PlaylistSummary:
    return msgspec.structs.replace(playlist, visibility="private")
