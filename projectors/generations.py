"""Which generation of a read model does a worker write?

The live one, if this version of the code made it. Otherwise one that is coming: the first worker
takes a number from PostgreSQL and says so in Redis, the others join in. It is switched to when it
has taken in the log.
"""

from contextlib import suppress

from events.store.generations import new_generation, version_of
from projectors.live import Live, NotReady
from projectors.read_model import ReadModel


def choose(model: type[ReadModel], live: Live) -> int:
    """The number of the generation to write."""
    live.forget()
    with suppress(NotReady):
        number = live.generation(model.name)
        if version_of(model.name, number) == model.version:
            return number
    coming = live.coming(model.name)
    if coming is not None and version_of(model.name, coming) == model.version:
        return coming
    # What another version began is in another shape, and nobody goes on with it.
    mine = new_generation(model.name, version=model.version)
    return live.propose(model.name, mine, instead_of=coming)


def is_current(model: ReadModel, live: Live) -> bool:
    """Whether a generation is still live or coming; it is neither when Redis lost its data."""
    live.forget()
    with suppress(NotReady):
        if live.generation(model.name) == model.generation:
            return True
    return live.coming(model.name) == model.generation
