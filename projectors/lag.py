"""How far is each read model behind the log?"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from events.store import EventStore
from projectors.generations.live import Live, NotReady
from projectors.parking.store import count_parked
from projectors.registry import BUILT, MODELS
from projectors.storage.read_model import ReadModel


class Lag(NamedTuple):
    """What a model has not taken in yet, in events; None where it has no live generation."""

    model: str
    generation: int | None
    state: int | None
    """Events that its state lacks."""
    derived: int | None
    """Events that what is built of its state lacks; None for a model that builds nothing."""
    parked: int = 0
    """Events that it has passed and set aside."""

    @property
    def is_caught_up(self) -> bool:
        """Whether it lacks nothing."""
        return self.state == 0 and not self.derived


def lags(
    store: EventStore, live: Live, models: Iterable[type[ReadModel]] = MODELS
) -> Sequence[Lag]:
    """The lag of each model's live generation against the heads of this moment."""
    heads = store.heads()
    return [_lag(model, heads, live) for model in models]


def _lag(model: type[ReadModel], heads: Sequence[int], live: Live) -> Lag:
    try:
        opened = live.open(model)
    except NotReady:
        return Lag(model.name, None, None, None)
    return Lag(
        model=model.name,
        generation=opened.generation,
        state=events_behind(heads, opened.checkpoints(len(heads))),
        derived=events_behind(heads, opened.built_offsets(len(heads))) if model in BUILT else None,
        parked=count_parked(opened, len(heads)).parked,
    )


def events_behind(heads: Sequence[int], offsets: Sequence[int]) -> int:
    """How many events offsets lack of heads."""
    return sum(max(0, head - at) for head, at in zip(heads, offsets, strict=True))
