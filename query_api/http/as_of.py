"""How does one of the staff ask how it was: with As-Of, and the label of a rebuild?

The read models that an answer is about are those of the label (``manage.py rebuild --until TIME
--into LABEL``). Whether the token counts, and who may see what, is as it is now.
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
from query_api.http.data_loss import guarded
from query_api.http.request import Meta, ReadRequest, live
from query_api.visibility import visible

AS_OF = "As-Of"
META = "HTTP_AS_OF"
_KEEPING = {"Cache-Control": "private, no-cache", "Vary": "Authorization, As-Of"}


class AsOfRequest(ReadRequest):
    """One request for something as it was; no answer may be kept for others.

    Raises Unauthenticated, TooMany, Forbidden, Invalid, before anyone learns of a label.
    """

    may_be_kept: ClassVar[bool] = False

    def __init__(self, meta: Meta, *, needs_token: bool, scope: Scope = "read") -> None:
        super().__init__(meta, needs_token=True, scope=scope)
        self._execute(lambda _: None)  # a token that was revoked may not ask, either
        if self.identity is None or not self.identity.is_staff:
            raise Forbidden("Only staff may ask how it was.")
        if self.positions is not None:
            reason = f"A past takes in nothing any more: send {LOG_POSITION} or {AS_OF}, not both."
            raise Invalid("A past can't be waited for.", errors=[(LOG_POSITION, reason)])
        self._past = live().as_of(meta[META])

    def open(self, model: type[Model]) -> Model:
        """The read model as it was; raises NoSuchPast."""
        return guarded(self._past.open(model))

    def movies(self) -> Movies:
        """As they were, if that is kept; else as they are now."""
        try:
            return self.open(Movies)
        except NoSuchPast:
            return super().open(Movies)

    def visible(
        self, playlists: Sequence[PlaylistSummary], viewer: UUID | None
    ) -> list[PlaylistSummary]:
        """Those that someone may see today, whatever was so then; what is gone is its owner's."""
        found = super().open(Library).playlists([playlist.id for playlist in playlists])
        today = {playlist.id: playlist for playlist in found}
        return [then for then in playlists if visible(today.get(then.id, _gone(then)), viewer)]

    def headers(self) -> dict[str, str]:
        """No age, for it is of its moment; and nobody else may be given it."""
        return {**_KEEPING, **(self._rate or {})}

    def _read_from(self) -> list[str]:
        """Of the live ones, only what says whether the token counts."""
        return [SessionRevocations.name]


def _gone(then: PlaylistSummary) -> PlaylistSummary:
    return msgspec.structs.replace(then, visibility="private")
