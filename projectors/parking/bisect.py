"""Which events of a batch can never be applied, and what do the others lead to?

What fails is tried again in halves, until single events are left that fail by themselves. The rest
of an event's stream is set aside with it, so that it can be taken in after it, in order.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from traceback import format_tb
from typing import TypeAlias

from events.recorded import Recorded
from projectors.errors import TRANSIENT_ERRORS, PoisonEvent, StopProjector
from projectors.parking.store import FOLLOWS_PARKED_EVENT, FailureReason

PackEvents: TypeAlias = Callable[[Sequence[Recorded]], bytes]
"""Works out what events of one partition lead to, and does nothing: see ``ReadModel.pack``."""

_LONGEST = 300
_LAST_LINES = 8


@dataclass
class BisectResult:
    """What became of a batch."""

    packed: list[bytes] = field(default_factory=list)
    """What those lead to that can be applied."""
    aside: list[tuple[Recorded, FailureReason]] = field(default_factory=list)
    """Those that can't, and what follows of their streams, in order."""
    failed: dict[str, FailureReason] = field(default_factory=dict)
    """Each stream that stops here, and why."""


def isolate_failures(
    batch: Sequence[Recorded],
    parked: Collection[str],
    attempt: PackEvents,
    *,
    is_open: bool = False,
) -> BisectResult:
    """Try a batch. ``is_open``: faults may cite what people wrote, so what they say is not kept."""
    sifted = BisectResult()
    culprits: dict[str, int] = {}
    waiting = [batch]
    while waiting:
        events = waiting.pop()
        if parked or culprits:
            events = [e for e in events if e.stream not in parked and e.stream not in culprits]
        if not events:
            continue
        try:
            packed = attempt(events)
        except (*TRANSIENT_ERRORS, StopProjector):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: see projectors.errors
            if len(events) == 1:
                culprits[events[0].stream] = events[0].offset
                sifted.failed[events[0].stream] = _why(error, is_open=is_open)
            else:
                half = len(events) // 2
                waiting += (events[half:], events[:half])  # the first half is tried first
        else:
            sifted.packed += filter(None, [packed])
    if parked or culprits:
        sifted.aside = list(_aside(batch, parked, culprits, sifted.failed))
    return sifted


def _aside(
    batch: Sequence[Recorded],
    parked: Collection[str],
    culprits: Mapping[str, int],
    failed: Mapping[str, FailureReason],
) -> Iterator[tuple[Recorded, FailureReason]]:
    for recorded in batch:
        culprit = 0 if recorded.stream in parked else culprits.get(recorded.stream)
        if culprit == recorded.offset:
            yield recorded, failed[recorded.stream]
        elif culprit is not None and culprit < recorded.offset:
            yield recorded, FOLLOWS_PARKED_EVENT


def _why(error: Exception, *, is_open: bool) -> FailureReason:
    kind = type(error).__name__
    if isinstance(error, PoisonEvent):
        reason = str(error)  # in our own words
    else:
        reason = kind if is_open else f"{kind}: {error}"
    lines = "".join(format_tb(error.__traceback__)[-_LAST_LINES:])
    return FailureReason(reason[:_LONGEST], f"{lines}{kind}")
