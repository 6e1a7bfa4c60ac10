"""Bisects a batch that fails: finds its poison events, and what the other events write.

A batch that fails is tried again in halves, until single events are left that fail by themselves.
The rest of such an event's stream is parked with it, so that a retry applies it in order.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from traceback import format_tb
from typing import TypeAlias

from events.recorded import Recorded
from projectors.errors import TRANSIENT_ERRORS, PoisonEvent, StopProjector
from projectors.parking.store import FOLLOWS_PARKED_EVENT, FailureReason

PackEvents: TypeAlias = Callable[[Sequence[Recorded]], bytes]
"""Encodes the writes of events of one partition, without applying them: see ``ReadModel.pack``."""

_MAX_REASON_LENGTH = 300
_TRACE_LINES = 8


@dataclass
class BisectResult:
    """The events of a batch that can be applied, and those that must be parked."""

    packed: list[bytes] = field(default_factory=list)
    """The writes of the events that can be applied."""
    parked: list[tuple[Recorded, FailureReason]] = field(default_factory=list)
    """The poison events and those that follow in their streams, in order."""
    reasons: dict[str, FailureReason] = field(default_factory=dict)
    """Each stream with a poison event, and why that failed."""


def isolate_failures(
    batch: Sequence[Recorded],
    parked: Collection[str],
    pack_events: PackEvents,
    *,
    is_personal: bool = False,
) -> BisectResult:
    """Try a batch without the streams that are ``parked`` already; bisect what fails.

    ``is_personal``: an error message may quote what people wrote, so it is not kept.
    """
    result = BisectResult()
    poison: dict[str, int] = {}
    remaining = [batch]
    while remaining:
        events = remaining.pop()
        if parked or poison:
            events = [e for e in events if e.stream not in parked and e.stream not in poison]
        if not events:
            continue
        try:
            packed = pack_events(events)
        except (*TRANSIENT_ERRORS, StopProjector):
            raise
        except Exception as error:  # noqa: BLE001 - any other error is the event's own
            if len(events) == 1:
                poison[events[0].stream] = events[0].offset
                result.reasons[events[0].stream] = _reason(error, is_personal=is_personal)
            else:
                half = len(events) // 2
                remaining += (events[half:], events[:half])  # the first half is tried first
        else:
            result.packed += filter(None, [packed])
    if parked or poison:
        result.parked = list(_parked(batch, parked, poison, result.reasons))
    return result


def _parked(
    batch: Sequence[Recorded],
    parked: Collection[str],
    poison: Mapping[str, int],
    reasons: Mapping[str, FailureReason],
) -> Iterator[tuple[Recorded, FailureReason]]:
    for recorded in batch:
        first = 0 if recorded.stream in parked else poison.get(recorded.stream)
        if first == recorded.offset:
            yield recorded, reasons[recorded.stream]
        elif first is not None and first < recorded.offset:
            yield recorded, FOLLOWS_PARKED_EVENT


def _reason(error: Exception, *, is_personal: bool) -> FailureReason:
    kind = type(error).__name__
    if isinstance(error, PoisonEvent):
        reason = str(error)  # our own text, which quotes no user
    else:
        reason = kind if is_personal else f"{kind}: {error}"
    lines = "".join(format_tb(error.__traceback__)[-_TRACE_LINES:])
    return FailureReason(reason[:_MAX_REASON_LENGTH], f"{lines}{kind}")
