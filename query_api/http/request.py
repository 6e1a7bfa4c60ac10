"""Who asks, how often, and how fresh must the answer be?

One trip to Redis counts the request, fetches what would end the token, and fetches the data; then
come the checks. ``meta`` is what WSGI says of a request, and what Django calls META.
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
from infra.errors import Unauthenticated
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import RATE, Scope, Throttle, WindowCount
from infra.redis_pipeline import ReadCommands, ReadPipeline
from infra.security import access_tokens
from infra.security.access_tokens import Identity
from projectors.generations.live import GENERATIONS_KEY, Live, Model, NotReady
from projectors.read_models.library.playlists import PlaylistSummary
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.sessions.read_model import SessionRevocations, is_valid
from query_api.http import read_your_writes
from query_api.http.data_loss import guarded
from query_api.http.read_your_writes import AnswerSource
from query_api.visibility import visible

Meta = MutableMapping[str, Any]
COUNTED = "marquee.counted"
"""Where what WSGI says of a request has the count of who asked before, and could not answer."""
LOG_PARKED = "Log-Parked"
"""The models that set aside an event that was waited for: it is not in the answer."""

Enqueue = Callable[[ReadCommands], object]


class CountedRequest(NamedTuple):
    """A request that was counted, and what its counter stood at."""

    counter: Throttle
    seen: WindowCount


class PreparedAnswer(NamedTuple):
    """An answer that lies ready in Redis, or nearly so."""

    enqueue: Enqueue
    read: Callable[[Sequence[Any]], bytes | None]
    """Makes the body of the results; None if it is not there."""
    sources: Sequence[AnswerSource]


@cache
def live() -> Live:
    """Which generations answer."""
    return Live(clients.redis())


class ReadRequest:
    """One request for something to read; raises Unauthenticated for a bad token."""

    may_be_kept: ClassVar[bool] = True
    """Whether what was loaded for it may be given to others, and theirs to it."""

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
        """The id of who asks."""
        if self.identity is None:
            raise Unauthenticated
        return self.identity.user_id

    @property
    def query_string(self) -> str:
        """The parameters as they came."""
        found: str = self.meta["QUERY_STRING"]
        return found

    @property
    def positions(self) -> str | None:
        """What must have been taken in."""
        return self.meta.get("HTTP_LOG_POSITION")

    def open(self, model: type[Model]) -> Model:
        """The read model that the answer is about; raises NotReady."""
        return guarded(live().open(model))

    def movies(self) -> Movies:
        """Where the cards come from that an answer shows: one of its sources."""
        return self.open(Movies)

    def cards(self, model: Movies, movies: Sequence[int]) -> dict[int, bytes]:
        """The cards of those movies that have one, for an answer that shows them."""
        if not movies:
            return {}
        pipe = ReadPipeline()
        for movie in movies:
            model.enqueue_card(pipe, movie)
        names = self._read_from()
        pipe.hmget(GENERATIONS_KEY, names)
        *found, pointers = pipe.execute(clients.redis())
        _refuse_lost(names, pointers)
        cards = map(model.read_card, found)
        return {movie: card for movie, card in zip(movies, cards, strict=True) if card is not None}

    def visible(
        self, playlists: Sequence[PlaylistSummary], viewer: UUID | None
    ) -> list[PlaylistSummary]:
        """Those that someone (None: who is not logged in) may see."""
        return [playlist for playlist in playlists if visible(playlist, viewer)]

    def fetch(self, enqueue: Enqueue, *sources: AnswerSource) -> list[Any]:
        """The results of what ``enqueue`` put into the pipeline, after all checks."""
        self._sources = sources
        if (positions := self.positions) is not None:
            self._execute(lambda _: None)  # who may not ask may not wait either
            self._parked = read_your_writes.wait(
                positions, self.meta.get("HTTP_PREFER", ""), sources
            )
        return self._execute(enqueue)

    def answer(self, prepared: PreparedAnswer) -> bytes | None:
        """A ready answer, after all checks; None if it is not there."""
        return prepared.read(self.fetch(prepared.enqueue, *prepared.sources))

    def headers(self) -> dict[str, str]:
        """How old the answer may be, what it lacks, and how often one may ask."""
        lacks = {LOG_PARKED: ", ".join(sorted(self._parked))} if self._parked else {}
        return {**_age(self._sources), **lacks, **(self._rate or {})}

    def _execute(self, enqueue: Enqueue) -> list[Any]:
        counter = self._throttle() if self.counted is None else None
        pipe = ReadPipeline()
        if counter is not None:
            counter.enqueue(pipe)
        counted = len(pipe)
        if self.identity is not None:
            live().open(SessionRevocations).enqueue(pipe, self.identity.user_id)
        checked = len(pipe)
        enqueue(pipe)
        names = self._read_from()
        pipe.hmget(GENERATIONS_KEY, names)
        *results, pointers = pipe.execute(clients.redis())
        if counter is not None:
            self.counted = CountedRequest(
                counter, sliding_window.seen(results[: sliding_window.COMMANDS])
            )
        if self._rate is None and self.counted is not None:
            self._rate = self.counted.counter.judge(self.counted.seen)
            self.meta[RATE] = self._rate
        _refuse_lost(names, pointers)
        if self.identity is not None:
            _refuse_revoked(self.identity, results[counted])
        return results[checked:]

    def _read_from(self) -> list[str]:
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
    """Raise NotReady when Redis lost its data since we last looked at the pointers.

    Asked in the same trip as the data, and behind it: see ``data_loss``.
    """
    for name, pointer in zip(names, pointers, strict=True):
        if pointer is None:
            live().forget()
            raise NotReady(name)


def _refuse_revoked(identity: Identity, revoked: Mapping[bytes, bytes]) -> None:
    if not is_valid(revoked, identity.family, identity.epoch, datetime.now(UTC)):
        raise Unauthenticated("The access token was revoked.")


def _age(sources: Sequence[AnswerSource]) -> dict[str, str]:
    """How far what was read may be behind the log; nothing is said before it was ever level."""
    moments = [live().level_at(source.model.name) for source in sources]
    known = [moment for moment in moments if moment is not None]
    if not known or len(known) < len(moments):
        return {}
    return {"Log-Age": str(max(0, ceil(time() - min(known))))}
