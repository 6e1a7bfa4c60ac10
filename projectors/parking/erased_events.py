"""Which events lead to nothing any more, because whose they are was erased after them?

Taken in order that is so by itself. What was parked is taken in later than the erasure.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from events.recorded import Recorded
from events.store import EventStore
from events.stream_names import erasure_of


def latest_erasures(events: Iterable[Recorded], store: EventStore) -> Mapping[UUID, Recorded]:
    """The last event of each of these people that says that they are erased."""
    people = {person for recorded in events if (person := user_of(recorded)) is not None}
    histories = store.read_many([erasure_of(person) for person in people])
    return {
        person: history[-1]
        for person in people
        if (history := histories.get(erasure_of(person).name))
    }


def is_erased(recorded: Recorded, erasures: Mapping[UUID, Recorded]) -> bool:
    """Whether its person was erased after it."""
    person = user_of(recorded)
    said = None if person is None else erasures.get(person)
    return said is not None and recorded.offset < said.offset


def user_of(recorded: Recorded) -> UUID | None:
    """Whose event it is; None for what is nobody's."""
    person: UUID | None = getattr(recorded.event, "user_id", None)
    return person
