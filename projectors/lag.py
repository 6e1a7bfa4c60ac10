"""Lag: how many events each read model is behind the log."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from events.store import EventStore
from projectors.generations.live import Live, NotReady
from projectors.generations.outdated import is_outdated
from projectors.parking.store import count_parked
from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel


class Lag(NamedTuple):
    """The lag of a model in events; None where it has no live generation."""

    model: str
    generation: int | None
    state: int | None
    """Events not applied to its state."""
    derived: int | None
    """Events not built into its derived data; None for a model without any."""
    parked: int = 0
    """Events that its checkpoint has passed and that are parked."""
    is_outdated: bool = False
    """Whether another version of the code made the live generation: it is being replaced."""

    @property
    def is_caught_up(self) -> bool:
        return self.state == 0 and not self.derived and not self.is_outdated


def lags(
    store: EventStore, live: Live, models: Iterable[type[ReadModel]] = MODELS
) -> Sequence[Lag]:
    heads = store.heads()
    return [_lag(model, heads, live) for model in models]


def _lag(model: type[ReadModel], heads: Sequence[int], live: Live) -> Lag:
    try:
        opened = live.open(model)
    except NotReady:
        return Lag(model.name, None, None, None)
    state, derived = events_behind(opened, heads)
    parked = count_parked(opened, len(heads)).parked
    return Lag(model.name, opened.generation, state, derived, parked, is_outdated(opened))


def events_behind(model: ReadModel, heads: Sequence[int]) -> tuple[int, int | None]:
    """How many events a generation's state lacks of heads, and its derived data, if it has any."""
    state = _missing(heads, model.checkpoints(len(heads)))
    if not model.builder_path:
        return state, None
    return state, _missing(heads, model.built_offsets(len(heads)))


def _missing(heads: Sequence[int], offsets: Sequence[int]) -> int:
    return sum(max(0, head - at) for head, at in zip(heads, offsets, strict=True))
