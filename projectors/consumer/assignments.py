"""Assignments: the generations that a worker keeps up to date, and their builders.

They change while the worker runs: the generation of a rebuild joins and goes live, and the previous
one is kept for a while and then dropped.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import ge

from redis import Redis

from events.store import EventStore
from projectors.building.thread import BuilderThread
from projectors.consumer.follower import Follower
from projectors.generations.live import Live, NotReady
from projectors.generations.pointers import GenerationId
from projectors.generations.selection import Role
from projectors.registry import make_builder
from projectors.storage.read_model import Decrypt, ReadModel

log = logging.getLogger(__name__)

FindWantedRoles = Callable[[], Mapping[GenerationId, Role]]
"""Returns the generations to write now, and the role of each."""

REPORTED_ROLES: frozenset[Role] = frozenset(("live", "coming"))
"""The roles whose watermark readers see."""


class Watermark:
    """The latest moment whose log a read model is known to have applied in full.

    Under steady traffic a model never reaches the heads of this moment. But once it has applied all
    that the log held at an earlier moment, its answers are no older than that moment.
    """

    def __init__(self) -> None:
        self._open: deque[tuple[float, Sequence[int]]] = deque(maxlen=600)

    def observe(self, at: float, heads: Sequence[int]) -> None:
        """Add the heads of the log at a moment (Unix time)."""
        self._open.append((at, heads))

    def reached(self, offsets: Sequence[int]) -> float | None:
        """The latest moment whose heads the offsets have reached; None if there is no newer one."""
        reached = None
        while self._open and all(map(ge, offsets, self._open[0][1])):
            reached = self._open.popleft()[0]
        return reached


@dataclass
class AssignedGeneration:
    """A generation, its follower, its watermark, and the thread of its builder."""

    role: Role
    follower: Follower
    builder: BuilderThread | None = None
    watermark: Watermark = field(default_factory=Watermark)
    sources: Mapping[type[ReadModel], int] = field(default_factory=dict)
    """The generations of other models that its builder reads."""

    @property
    def model(self) -> ReadModel:
        return self.follower.model

    @property
    def generation_id(self) -> GenerationId:
        return self.model.name, self.model.generation

    @property
    def is_ready(self) -> bool:
        """Whether its builder, if it needs one, has built everything once."""
        return not self.model.builder_path or (self.builder is not None and self.builder.has_built)

    def offsets(self, partitions: int) -> Sequence[int]:
        """The offsets that its answers include: of derived data if it has any, else of state."""
        if self.model.builder_path:
            return self.model.built_offsets(partitions)
        return self.follower.checkpoints


_SOURCE_ROLES: Mapping[Role, Sequence[Role]] = {
    "live": ("live",),
    "kept": ("live",),
    "coming": ("live", "coming"),
    "joining": ("joining", "live", "coming"),
}
"""Roles of the generations of other models that a builder reads, in order of preference."""


class GenerationAssignments:
    """The generations that the pointers in Redis ask for."""

    def __init__(
        self,
        wanted: FindWantedRoles,
        kinds: Iterable[type[ReadModel]],
        *,
        redis: Redis,
        live: Live,
        store: EventStore,
        decrypt: Decrypt,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._wanted = wanted
        self._kinds = {kind.name: kind for kind in kinds}
        self._redis = redis
        self._live = live
        self._store = store
        self._decrypt = decrypt
        self._failed = failed
        self._assigned: dict[GenerationId, AssignedGeneration] = {}
        self._stopping: list[BuilderThread] = []

    @property
    def assigned(self) -> Sequence[AssignedGeneration]:
        return list(self._assigned.values())

    def refresh(self) -> None:
        """Follow generations that the pointers ask for now, and drop all others.

        A builder starts once all generations that it reads are there.
        """
        wanted = self._wanted()
        self._live.forget()
        for id_ in self._assigned.keys() - wanted.keys():
            log.info("Stopped following %s, generation %d", *id_)
            self._stop_builder(self._assigned.pop(id_))
        for id_, role in wanted.items():
            if id_ in self._assigned:
                self._assigned[id_].role = role
            else:
                self._add(id_, role)
        for assigned in self.assigned:
            with suppress(NotReady):
                self._refresh_builder(assigned)

    def wake_builder(self, name: str) -> None:
        """Wake the builder of a model's live or coming generation: a reader waits for it."""
        for assigned in self.assigned:
            is_waited_for = assigned.model.name == name and assigned.role in REPORTED_ROLES
            if is_waited_for and assigned.builder:
                assigned.builder.urge()

    def stop(self) -> None:
        """Drop all generations and wait for their builders to end."""
        for assigned in self._assigned.values():
            self._stop_builder(assigned)
        self._assigned.clear()
        for builder in self._stopping:
            builder.join()

    def _add(self, id_: GenerationId, role: Role) -> None:
        name, number = id_
        log.info("Following %s, generation %d (%s)", name, number, role)
        model = self._kinds[name](self._redis, number)
        self._assigned[id_] = AssignedGeneration(role, Follower(model, self._store, self._decrypt))

    # ------------------------------------------------------------------------------ builders

    def _refresh_builder(self, assigned: AssignedGeneration) -> None:
        """Start a builder, or replace one that reads the wrong generations."""
        if not assigned.model.builder_path:
            return
        if assigned.builder is not None:
            if not self._have_sources_changed(assigned):
                return
            log.info(
                "%s, generation %d: new builder, because its source generations changed",
                *assigned.generation_id,
            )
            self._stop_builder(assigned)
        sources: dict[type[ReadModel], int] = {}

        def find(kind: type[ReadModel]) -> ReadModel:
            source = self._source(assigned, kind)
            sources[kind] = source.generation
            return source

        builder = make_builder(assigned.model, find)
        if builder is not None:
            assigned.sources = sources
            assigned.builder = BuilderThread(builder, failed=self._failed)
            assigned.builder.start()

    def _have_sources_changed(self, assigned: AssignedGeneration) -> bool:
        """Whether its builder must read other sources; a kept one keeps its old ones if it can."""
        if assigned.role == "kept":
            ids = [(kind.name, number) for kind, number in assigned.sources.items()]
            return not all(id_ in self._assigned or self._is_live(id_) for id_ in ids)
        return any(
            self._source(assigned, kind).generation != number
            for kind, number in assigned.sources.items()
        )

    def _is_live(self, id_: GenerationId) -> bool:
        name, number = id_
        try:
            return self._live.generation(name) == number
        except NotReady:
            return False

    def _source(self, assigned: AssignedGeneration, kind: type[ReadModel]) -> ReadModel:
        """The generation of another model that the builder reads. Raises NotReady.

        A live generation is not built from one that is coming: that is empty at first, and the one
        it replaces may have a shape that this version of the code can't read.
        """
        by_role = {each.role: each.model for each in self.assigned if isinstance(each.model, kind)}
        for role in _SOURCE_ROLES[assigned.role]:
            if role in by_role:
                return by_role[role]
        if "coming" in by_role:
            raise NotReady(kind.name)
        return self._live.open(kind)

    def _stop_builder(self, assigned: AssignedGeneration) -> None:
        if assigned.builder is not None:
            assigned.builder.leave()
            self._stopping = [builder for builder in self._stopping if builder.is_alive]
            self._stopping.append(assigned.builder)
            assigned.builder = None
