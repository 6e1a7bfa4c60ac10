"""Handler of trend observations: decide, write the tables and append, in one transaction."""

from collections.abc import Sequence
from contextlib import suppress

from django.db import IntegrityError, transaction

from command_api.catalogue import inline_projection
from command_api.catalogue.models import TrendObservation
from command_api.trends.decider import BoardState, ObserveTrend, decide, stream_of
from events import notifications
from events.catalogue import TrendEvent
from events.recorded import Origin
from events.store import AppendEntry, EventStore, WrongExpectedVersion

_TRIES = 3


def observe(command: ObserveTrend, store: EventStore, *, origin: Origin) -> Sequence[TrendEvent]:
    """Record an observation; decides again when another process recorded one meanwhile."""
    for _ in range(_TRIES - 1):
        with suppress(WrongExpectedVersion, IntegrityError):
            return _observe_once(command, store, origin)
    return _observe_once(command, store, origin)


def last_observation(board: str) -> BoardState:
    if (row := TrendObservation.objects.filter(board=board).first()) is None:
        return BoardState()
    ranked = row.entries.order_by("rank").values_list("movie", flat=True)
    return BoardState(tuple(ranked), row.observed_at)


def _observe_once(command: ObserveTrend, store: EventStore, origin: Origin) -> Sequence[TrendEvent]:
    stream = stream_of(command.board, command.at)
    # Version before table: if the table is newer, the append fails; it never passes wrongly.
    version = store.versions([stream]).get(stream.name, 0)
    events = decide(command, last_observation(command.board))
    if not events:
        return ()
    entries = [
        AppendEntry(stream, version + n, event, command.at) for n, event in enumerate(events, 1)
    ]
    with transaction.atomic():
        for event in events:
            inline_projection.apply_trend(event, at=command.at)
        positions = store.append_many(entries, origin=origin)
    notifications.announce(*{position.partition for position in positions})
    return events
