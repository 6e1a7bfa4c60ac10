"""Which generations does a worker keep level, and what is built of them?

The crew changes while the worker goes on: a rebuild's generation joins it, becomes the one that
answers, the one before stays for a while and goes. Nobody else notices.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from redis import Redis

from events.store import EventStore
from projectors.building.thread import BuilderThread
from projectors.consumer.follower import Follower
from projectors.consumer.watermark import Watermark
from projectors.generations.live import Live, NotReady
from projectors.generations.pointers import GenerationId
from projectors.generations.selection import Role
from projectors.registry import BUILT, make_builder
from projectors.storage.read_model import Decrypt, ReadModel

log = logging.getLogger(__name__)

Model = TypeVar("Model", bound=ReadModel)

FindWantedRoles = Callable[[], Mapping[GenerationId, Role]]
"""Which generations are to be written now, and as what each."""

REPORTED_ROLES: frozenset[Role] = frozenset(("live", "coming"))
"""Those whose being level is what readers are told."""


@dataclass
class AssignedGeneration:
    """A generation, how far it is, and the thread that builds of it."""

    role: Role
    follower: Follower
    builder: BuilderThread | None = None
    watermark: Watermark = field(default_factory=Watermark)
    sources: Mapping[type[ReadModel], int] = field(default_factory=dict)
    """What its builder reads beside it, by generation."""

    @property
    def model(self) -> ReadModel:
        """The generation."""
        return self.follower.model

    @property
    def place(self) -> GenerationId:
        """Which one it is."""
        return self.model.name, self.model.generation

    @property
    def is_ready(self) -> bool:
        """Whether all of it is at work, and has been through once."""
        if self.model.name not in _BUILT:
            return True
        return self.builder is not None and self.builder.has_built

    def offsets(self, partitions: int) -> Sequence[int]:
        """How far its answers are: its state, and what was built of it where that is read."""
        if self.model.name not in _BUILT:
            return self.follower.checkpoints
        return self.model.built_offsets(partitions)


_WITH: Mapping[Role, Sequence[Role]] = {
    "live": ("live",),
    "kept": ("live",),
    "coming": ("live", "coming"),
    "joining": ("joining", "live", "coming"),
}
"""Of what generations of other models each is built, the first there is."""


class Assignments(Protocol):
    """What a worker works for."""

    @property
    def assigned(self) -> Sequence[AssignedGeneration]:
        """All there are now."""

    def refresh(self) -> None:
        """Take on who is wanted, let go who is not."""


_BUILT = frozenset(model.name for model in BUILT)


class GenerationAssignments:
    """The crew that the pointers ask for."""

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
        self._members: dict[GenerationId, AssignedGeneration] = {}
        self._leaving: list[BuilderThread] = []

    @property
    def assigned(self) -> Sequence[AssignedGeneration]:
        """See Crew."""
        return list(self._members.values())

    def refresh(self) -> None:
        """See Crew. Who lacks what its builder reads has no builder until that is there."""
        wanted = self._wanted()
        self._live.forget()
        for place in self._members.keys() - wanted.keys():
            log.info("Writing %s, generation %d, no more", *place)
            self._let_builder_go(self._members.pop(place))
        for place, role in wanted.items():
            if place in self._members:
                self._members[place].role = role
            else:
                self._take_on(place, role)
        for member in self.assigned:
            with suppress(NotReady):
                self._see_to_builder(member)

    def urge(self, name: str) -> None:
        """Somebody waits for what is built of the live generation of a model."""
        for member in self.assigned:
            if member.model.name == name and member.role in REPORTED_ROLES and member.builder:
                member.builder.urge()

    def stop(self) -> None:
        """Let all go, and wait for what they are building."""
        for member in self._members.values():
            self._let_builder_go(member)
        self._members.clear()
        for builder in self._leaving:
            builder.join()

    def _take_on(self, place: GenerationId, role: Role) -> None:
        name, number = place
        log.info("Writing %s, generation %d (%s)", name, number, role)
        model = self._kinds[name](self._redis, number)
        self._members[place] = AssignedGeneration(role, Follower(model, self._store, self._decrypt))

    # ------------------------------------------------------------------------------ builders

    def _see_to_builder(self, member: AssignedGeneration) -> None:
        """Let it have a builder that reads what it should."""
        if member.model.name not in _BUILT:
            return
        if member.builder is not None:
            if not self._are_others(member):
                return
            log.info("%s, generation %d, is built of other sources", *member.place)
            self._let_builder_go(member)
        sources: dict[type[ReadModel], int] = {}

        def find(kind: type[Model]) -> Model:
            found = self._source(member, kind)
            sources[kind] = found.generation
            return found

        built = make_builder(member.model, find, self._store.partitions)
        if built is not None:
            member.sources = sources
            member.builder = BuilderThread(built, failed=self._failed)
            member.builder.start()

    def _are_others(self, member: AssignedGeneration) -> bool:
        """Whether it should read others. One that answers no more reads what it did, if it can."""
        if member.role == "kept":
            here = {(kind.name, number) for kind, number in member.sources.items()}
            return not all(place in self._members or self._is_live(place) for place in here)
        return any(
            self._source(member, kind).generation != number
            for kind, number in member.sources.items()
        )

    def _is_live(self, place: GenerationId) -> bool:
        try:
            return self._live.generation(place[0]) == place[1]
        except NotReady:
            return False

    def _source(self, member: AssignedGeneration, kind: type[Model]) -> Model:
        """The generation of another model that belongs with a member. Raises NotReady.

        What answers is not built of what is still coming: that is empty at first, and the one that
        answers instead may be of a shape that this version of the code can't read.
        """
        here = {m.role: m.model for m in self._members.values() if isinstance(m.model, kind)}
        for role in _WITH[member.role]:
            if role in here:
                return here[role]
        if "coming" in here:
            raise NotReady(kind.name)
        return self._live.open(kind)

    def _let_builder_go(self, member: AssignedGeneration) -> None:
        if member.builder is not None:
            member.builder.leave()
            self._leaving = [one for one in self._leaving if one.is_alive]
            self._leaving.append(member.builder)
            member.builder = None
