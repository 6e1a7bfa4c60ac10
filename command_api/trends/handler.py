"""Handler of trend observations: decide, write the tables and append, in one transaction."""

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
    """Record an observation; decides again when another process recorded one meanwhile."""
    for _ in range(_TRIES - 1):
        try:
            return _observe_once(command, store, origin)
        except (WrongExpectedVersion, IntegrityError):
            continue
    return _observe_once(command, store, origin)


def _observe_once(command: ObserveTrend, store: EventStore, origin: Origin) -> Sequence[TrendEvent]:
    stream = stream_of(command.board, command.at)
    # Version before table: if the table is newer, the append fails; it never passes wrongly.
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
