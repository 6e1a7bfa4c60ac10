"""Read request: rate limit, token revocation, read-your-writes and data in one round trip.

One round trip counts the request and fetches the token's revocations, the data and, with a
Log-Position, the sources' checkpoints. Then the checks follow, in this order: rate limit, lost
data, revoked token; waiting comes last. ``meta`` is the WSGI environ, which Django calls META.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from math import ceil
from time import time
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from infra import clients
from infra.config import config
from infra.errors import Invalid, Unauthenticated
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import RATE, Scope
from infra.redis_pipeline import ReadCommands, ReadPipeline
from infra.security import access_tokens
from infra.security.access_tokens import Identity
from projectors.generations.live import GENERATIONS_KEY, Live, Model, NotReady
from projectors.read_models.library.playlists import PlaylistSummary
from projectors.read_models.movies.card import compose
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.sessions.read_model import SessionRevocations, is_valid
from query_api.http.data_loss import DataLossGuard
from query_api.http.read_your_writes import AnswerSource, PositionWait
from query_api.visibility import is_visible

Meta = MutableMapping[str, Any]
COUNTED = "marquee.counted"
"""META key: Throttle and WindowCount of a counted request, so that it counts once.

The fast lane leaves some requests to Django after it has counted them.
"""
LOG_PARKED = "Log-Parked"
"""Header: the models that parked an event which the request names; the answer lacks it."""

Enqueue = Callable[[ReadCommands], object]


class PreparedAnswer(NamedTuple):
    """An answer kept ready in Redis: the commands that fetch it, and how to read the replies."""

    enqueue: Enqueue
    read: Callable[[Sequence[Any]], bytes | None]
    """Makes the body from the replies; None if it is missing."""
    sources: Sequence[AnswerSource]


@cache
def live() -> Live:
    """The live generations, cached by this process."""
    redis = clients.redis()
    return Live(redis, connect=partial(DataLossGuard, redis))


class ReadRequest:
    """A request to read something; raises Unauthenticated for an invalid token."""

    is_cacheable: ClassVar[bool] = True
    """Whether it may read and fill caches that requests share."""

    def __init__(self, meta: Meta, *, needs_token: bool, scope: Scope = "read") -> None:
        self.meta = meta
        self.query_string: str = meta["QUERY_STRING"]
        """The parameters, still encoded."""
        self.positions: str | None = meta.get("HTTP_LOG_POSITION")
        authorization: str | None = meta.get("HTTP_AUTHORIZATION")
        self.identity: Identity | None = None
        if needs_token or authorization is not None:
            self.identity = access_tokens.bearer(authorization or "")
        self._scope: Scope = scope
        self._sources: tuple[AnswerSource, ...] = ()
        self._parked: frozenset[str] = frozenset()
        self._rate: Mapping[str, str] | None = None

    @property
    def user_id(self) -> UUID:
        """The user's id; raises Unauthenticated without a token."""
        if self.identity is None:
            raise Unauthenticated
        return self.identity.user_id

    def open(self, model: type[Model]) -> Model:
        """The generation of a read model that answers; raises NotReady."""
        return live().open(model)

    def movies(self) -> Movies:
        """The read model of the cards in the answer; it is one of the answer's sources."""
        return self.open(Movies)

    def cards(self, model: Movies, movies: Sequence[int]) -> dict[int, bytes]:
        """Movie -> card, of those movies that have one."""
        if not movies:
            return {}
        cards, _ = self.cards_and(model, movies, lambda _: None)
        return cards

    def cards_and(
        self, model: Movies, movies: Sequence[int], enqueue: Enqueue
    ) -> tuple[dict[int, bytes], list[Any]]:
        """As ``cards``, and the replies to the commands of ``enqueue`` in the same round trip."""
        pipe = ReadPipeline()
        for movie in movies:
            model.enqueue_card(pipe, movie)
        enqueue(pipe)
        names = self._model_names()
        pipe.hmget(GENERATIONS_KEY, names)
        *replies, pointers = pipe.execute(clients.redis())
        if None in pointers:
            raise _lost(names, pointers)
        count = len(movies)
        cards = zip(movies, map(compose, replies[:count]), strict=True)
        return {movie: card for movie, card in cards if card is not None}, replies[count:]

    def visible(
        self, playlists: Sequence[PlaylistSummary], viewer: UUID | None
    ) -> list[PlaylistSummary]:
        """The playlists that a user (None: without a token) may see."""
        return [playlist for playlist in playlists if is_visible(playlist, viewer)]

    def fetch(self, enqueue: Enqueue, *sources: AnswerSource) -> list[Any]:
        """The replies to the commands of ``enqueue``, once the sources are at the Log-Position.

        Raises Refused if a check fails. ``enqueue`` is called again after a wait.
        """
        self._sources = sources
        if self.positions is None:
            return self._execute(enqueue)
        try:
            wait = PositionWait(self.positions, self.meta.get("HTTP_PREFER", ""), sources)
        except Invalid:
            self._execute()  # a malformed header counts too, and a revoked token comes first
            raise
        replies = self._execute(wait.enqueue, enqueue)
        check, data = wait.read(replies[: wait.commands]), replies[wait.commands :]
        if check.missing:
            check = wait.poll()
            data = self._execute(enqueue)
        self._parked = check.parked
        return data

    def check(self, *sources: AnswerSource) -> None:
        """Make all checks, and wait until the sources are at the Log-Position; read nothing else.

        Raises Refused.
        """
        self.fetch(lambda _: None, *sources)

    def answer(self, prepared: PreparedAnswer) -> bytes | None:
        """The body of a prepared answer, after all checks; None if it is missing."""
        return prepared.read(self.fetch(prepared.enqueue, *prepared.sources))

    def headers(self) -> dict[str, str]:
        """Log-Age, Log-Parked and the rate limit's headers.

        Without Log-Age where a source has never caught up with the log.
        """
        headers = dict(self._rate or {})
        moments = [live().level_at(source.model.name) for source in self._sources]
        levels = [moment for moment in moments if moment is not None]
        if levels and len(levels) == len(moments):
            headers["Log-Age"] = str(max(0, ceil(time() - min(levels))))
        if self._parked:
            headers[LOG_PARKED] = ", ".join(sorted(self._parked))
        return headers

    def _execute(self, *enqueues: Enqueue) -> list[Any]:
        """Execute the enqueued commands and all checks of the request in one round trip."""
        identity, pipe = self.identity, ReadPipeline()
        throttle = None
        if COUNTED not in self.meta and config().throttle:
            user_id = None if identity is None else identity.user_id
            throttle = sliding_window.of_reader(user_id, self.meta, self._scope)
            throttle.enqueue(pipe)
        if identity is not None:
            live().open(SessionRevocations).enqueue(pipe, identity.user_id)
        for enqueue in enqueues:
            enqueue(pipe)
        names = self._model_names()
        # After the data: see ``data_loss``.
        pipe.hmget(GENERATIONS_KEY, names)
        *replies, pointers = pipe.execute(clients.redis())
        if throttle is not None:
            current, _, previous, *replies = replies
            self.meta[COUNTED] = sliding_window.counted_read(throttle, current, previous)
        if self._rate is None and COUNTED in self.meta:
            throttle, window = self.meta[COUNTED]
            self._rate = self.meta[RATE] = throttle.judge(window)
        if None in pointers:
            raise _lost(names, pointers)
        if identity is not None:
            revoked, *replies = replies
            if not is_valid(revoked, identity.family, identity.epoch, datetime.now(UTC)):
                raise Unauthenticated("The access token was revoked.")
        return replies

    def _model_names(self) -> list[str]:
        """The names of all models that are read."""
        names = [source.model.name for source in self._sources]
        return names if self.identity is None else [SessionRevocations.name, *names]


def _lost(names: Sequence[str], pointers: Sequence[bytes | None]) -> NotReady:
    """Redis has lost the pointer of a model since this process read it."""
    live().forget()
    return NotReady(names[pointers.index(None)])
