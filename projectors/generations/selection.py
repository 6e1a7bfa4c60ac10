"""Selection: which generations of a read model a worker writes.

The live one, if this version of the code made it. Otherwise one that is coming: the first worker
takes a number from PostgreSQL and announces it in Redis, the others join. It is switched to when it
is level. Beside it those that a rebuild hands over, and those that answered until lately.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from events.store.generations import new_generation, version_of
from projectors.generations.pointers import GenerationId, Pointers, PointerSnapshot
from projectors.storage.read_model import ReadModel

Role: TypeAlias = Literal["live", "coming", "joining", "kept"]


class GenerationSelection:
    def __init__(self, pointers: Pointers) -> None:
        self._pointers = pointers
        self._versions: dict[GenerationId, int] = {}

    def select(self, models: Iterable[type[ReadModel]]) -> Mapping[GenerationId, Role]:
        snapshot = self._pointers.snapshot()
        roles: dict[GenerationId, Role] = {}
        for model in models:
            name = model.name
            for other, number in snapshot.kept:
                if other == name and self._fits(model, number):
                    roles[name, number] = "kept"
            if (joining := snapshot.joining.get(name)) is not None and self._fits(model, joining):
                roles[name, joining] = "joining"
            number = self._choose(model, snapshot)
            roles[name, number] = "live" if number == snapshot.live.get(name) else "coming"
        return roles

    def _choose(self, model: type[ReadModel], snapshot: PointerSnapshot) -> int:
        """The number of the generation that is live, or will be."""
        for number in (snapshot.live.get(model.name), snapshot.coming.get(model.name)):
            if number is not None and self._fits(model, number):
                return number
        # What another version began has another format, so it is not resumed.
        mine = new_generation(model.name, version=model.version)
        instead_of = snapshot.coming.get(model.name)
        return self._pointers.propose(model.name, mine, instead_of=instead_of)

    def _fits(self, model: type[ReadModel], number: int) -> bool:
        """Whether this version of the code made it; that never changes."""
        generation_id = model.name, number
        if generation_id not in self._versions:
            if (version := version_of(*generation_id)) is None:
                return False
            self._versions[generation_id] = version
        return self._versions[generation_id] == model.version
