"""How does what a board says get into the tables and the log?"""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from command_api.catalogue import trend_tables
from command_api.trends.decider import BoardState, ObserveTrend, decide, stream_of
from events import notifications
from events.catalogue import TrendEvent
from events.recorded import Origin
from events.store import AppendEntry, EventStore, WrongExpectedVersion

_TRIES = 3


def observe(command: ObserveTrend, store: EventStore, *, origin: Origin) -> Sequence[TrendEvent]:
    """Decide and append; decide again when somebody else looked meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            return _observe_once(command, store, origin)
        except (WrongExpectedVersion, IntegrityError):
            continue
    return _observe_once(command, store, origin)


def _observe_once(command: ObserveTrend, store: EventStore, origin: Origin) -> Sequence[TrendEvent]:
    stream = stream_of(command.board, command.at)
    # The version first: a table that is newer than it says makes the append fail, never pass.
    version = store.versions([stream]).get(stream.name, 0)
    events = decide(command, BoardState(*trend_tables.last(command.board)))
    if not events:
        return ()
    entries = [
        AppendEntry(stream, version + n, event, command.at) for n, event in enumerate(events, 1)
    ]
    with transaction.atomic():
        for event in events:
            trend_tables.apply(event, at=command.at)
        positions = store.append_many(entries, origin=origin)
    notifications.announce(*{position.partition for position in positions})
    return events
