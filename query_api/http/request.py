"""Read request: rate limit, token revocation, read-your-writes and data in one round trip.

One round trip counts the request and fetches the token's revocations, the data and, with a
Log-Position, the sources' checkpoints. Then the checks follow, in this order: rate limit, lost
data, revoked token; waiting comes last. ``meta`` is the WSGI environ, which Django calls META.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from functools import cache
from math import ceil
from time import time
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from infra import clients
from infra.config import config
from infra.errors import Invalid, Unauthenticated
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import RATE, Scope, Throttle, WindowCount
from infra.redis_pipeline import ReadCommands, ReadPipeline
from infra.security import access_tokens
from infra.security.access_tokens import Identity
from projectors.generations.live import GENERATIONS_KEY, Live, Model, NotReady
from projectors.read_models.library.playlists import PlaylistSummary
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.sessions.read_model import SessionRevocations, is_valid
from query_api.http.data_loss import guarded
from query_api.http.read_your_writes import AnswerSource, PositionWait
from query_api.visibility import is_visible

Meta = MutableMapping[str, Any]
COUNTED = "marquee.counted"
"""META key: the count of a request that the fast lane counted and left to Django."""
LOG_PARKED = "Log-Parked"
"""Header: the models that parked an event which the request names; the answer lacks it."""

Enqueue = Callable[[ReadCommands], object]


class CountedRequest(NamedTuple):
    """A counted request: its rate limit, and the count of the window."""

    throttle: Throttle
    window: WindowCount


class PreparedAnswer(NamedTuple):
    """An answer kept ready in Redis: the commands that fetch it, and how to read the replies."""

    enqueue: Enqueue
    read: Callable[[Sequence[Any]], bytes | None]
    """Makes the body from the replies; None if it is missing."""
    sources: Sequence[AnswerSource]


@cache
def live() -> Live:
    """The live generations, cached by this process."""
    return Live(clients.redis())


class ReadRequest:
    """A request to read something; raises Unauthenticated for an invalid token."""

    is_cacheable: ClassVar[bool] = True
    """Whether it may read and fill caches that requests share."""

    def __init__(self, meta: Meta, *, needs_token: bool, scope: Scope = "read") -> None:
        self.meta = meta
        self._scope: Scope = scope
        self.identity = _identify(meta, needs_token=needs_token)
        self._sources: tuple[AnswerSource, ...] = ()
        self._parked: frozenset[str] = frozenset()
        self._rate: Mapping[str, str] | None = None
        self.counted: CountedRequest | None = meta.get(COUNTED)

    @property
    def user_id(self) -> UUID:
        """The user's id; raises Unauthenticated without a token."""
        if self.identity is None:
            raise Unauthenticated
        return self.identity.user_id

    @property
    def query_string(self) -> str:
        """The parameters, still encoded."""
        query_string: str = self.meta["QUERY_STRING"]
        return query_string

    @property
    def positions(self) -> str | None:
        """The Log-Position header."""
        return self.meta.get("HTTP_LOG_POSITION")

    def open(self, model: type[Model]) -> Model:
        """The generation of a read model that answers; raises NotReady."""
        return guarded(live().open(model))

    def movies(self) -> Movies:
        """The read model of the cards in the answer; it is one of the answer's sources."""
        return self.open(Movies)

    def cards(self, model: Movies, movies: Sequence[int]) -> dict[int, bytes]:
        """Movie -> card, of those movies that have one."""
        if not movies:
            return {}
        pipe = ReadPipeline()
        for movie in movies:
            model.enqueue_card(pipe, movie)
        names = self._model_names()
        pipe.hmget(GENERATIONS_KEY, names)
        *replies, pointers = pipe.execute(clients.redis())
        _refuse_lost(names, pointers)
        cards = map(model.read_card, replies)
        return {movie: card for movie, card in zip(movies, cards, strict=True) if card is not None}

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
        wait = self._position_wait()
        if wait is None:
            return self._execute(enqueue)
        replies = self._execute(wait.enqueue, enqueue)
        check, data = wait.read(replies[: wait.commands]), replies[wait.commands :]
        if check.missing:
            check = wait.poll()
            data = self._execute(enqueue)
        self._parked = check.parked
        return data

    def answer(self, prepared: PreparedAnswer) -> bytes | None:
        """The body of a prepared answer, after all checks; None if it is missing."""
        return prepared.read(self.fetch(prepared.enqueue, *prepared.sources))

    def headers(self) -> dict[str, str]:
        """Log-Age, Log-Parked and the rate limit's headers."""
        parked = {LOG_PARKED: ", ".join(sorted(self._parked))} if self._parked else {}
        return {**_age(self._sources), **parked, **(self._rate or {})}

    def _position_wait(self) -> PositionWait | None:
        positions = self.positions
        if positions is None:
            return None
        try:
            return PositionWait(positions, self.meta.get("HTTP_PREFER", ""), self._sources)
        except Invalid:
            self._execute()  # a malformed header counts too, and a revoked token comes first
            raise

    def _execute(self, *enqueues: Enqueue) -> list[Any]:
        """Execute the enqueued commands and all checks of the request in one round trip."""
        throttle = self._throttle() if self.counted is None else None
        pipe = ReadPipeline()
        if throttle is not None:
            throttle.enqueue(pipe)
        session_at = len(pipe)
        if self.identity is not None:
            live().open(SessionRevocations).enqueue(pipe, self.identity.user_id)
        data_at = len(pipe)
        for enqueue in enqueues:
            enqueue(pipe)
        names = self._model_names()
        # After the data: see ``data_loss``.
        pipe.hmget(GENERATIONS_KEY, names)
        *replies, pointers = pipe.execute(clients.redis())
        if throttle is not None:
            self.counted = CountedRequest(throttle, WindowCount.of(replies[:session_at]))
        if self._rate is None and self.counted is not None:
            self._rate = self.meta[RATE] = self.counted.throttle.judge(self.counted.window)
        _refuse_lost(names, pointers)
        if self.identity is not None:
            _refuse_revoked(self.identity, replies[session_at])
        return replies[data_at:]

    def _model_names(self) -> list[str]:
        """The names of all models that are read."""
        names = [source.model.name for source in self._sources]
        return names if self.identity is None else [SessionRevocations.name, *names]

    def _throttle(self) -> Throttle | None:
        if not config().throttle:
            return None
        user_id = None if self.identity is None else self.identity.user_id
        return sliding_window.of_reader(user_id, self.meta, self._scope)


def _identify(meta: Meta, *, needs_token: bool) -> Identity | None:
    authorization = meta.get("HTTP_AUTHORIZATION")
    if authorization is None and not needs_token:
        return None
    return access_tokens.bearer(authorization or "")


def _refuse_lost(names: Sequence[str], pointers: Sequence[bytes | None]) -> None:
    """Raise NotReady where Redis has lost a model's pointer since this process read it."""
    for name, pointer in zip(names, pointers, strict=True):
        if pointer is None:
            live().forget()
            raise NotReady(name)


def _refuse_revoked(identity: Identity, revoked: Mapping[bytes, bytes]) -> None:
    if not is_valid(revoked, identity.family, identity.epoch, datetime.now(UTC)):
        raise Unauthenticated("The access token was revoked.")


def _age(sources: Sequence[AnswerSource]) -> dict[str, str]:
    """Log-Age, unless a source has never caught up with the log."""
    moments = [live().level_at(source.model.name) for source in sources]
    levels = [moment for moment in moments if moment is not None]
    if not levels or len(levels) < len(moments):
        return {}
    return {"Log-Age": str(max(0, ceil(time() - min(levels))))}
