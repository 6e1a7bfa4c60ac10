"""Bulk handling of movie commands: decide all, write tables and log in one transaction."""

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from typing import TypeAlias

from django.db import IntegrityError, transaction

from command_api.catalogue import inline_projection
from command_api.catalogue.decider import MovieCommand, MovieState, decide, evolve, stream_of
from events import notifications
from events.catalogue import MovieEvent
from events.recorded import Origin
from events.store import AppendEntry, EventStore, WrongExpectedVersion

EventsByCommand: TypeAlias = Sequence[Sequence[MovieEvent]]

_TRIES = 3


def handle_all(
    commands: Sequence[MovieCommand], store: EventStore, *, origin: Origin
) -> EventsByCommand:
    """Handle all commands or none; the events of each, in order.

    Decides again when another process changed a movie meanwhile.
    """
    for _ in range(_TRIES - 1):
        with suppress(WrongExpectedVersion, IntegrityError):  # another process wrote first
            return _handle_once(commands, store, origin)
    return _handle_once(commands, store, origin)


def _handle_once(
    commands: Sequence[MovieCommand], store: EventStore, origin: Origin
) -> EventsByCommand:
    streams = [stream_of(movie_id) for movie_id in {command.movie_id for command in commands}]
    # Versions before tables: if the tables are newer, the append fails; it never passes wrongly.
    versions = store.versions(streams)
    states = inline_projection.movie_states([int(s.owner) for s in streams if s.name in versions])
    decided = _decide_each(commands, states)
    events = [event for each in decided for event in each]
    if events:
        with transaction.atomic():
            inline_projection.apply(events)
            positions = store.append_many(_entries(events, versions), origin=origin)
        notifications.announce(*{position.partition for position in positions})
    return decided


def _decide_each(
    commands: Sequence[MovieCommand], states: dict[int, MovieState]
) -> EventsByCommand:
    decided = []
    for command in commands:
        movie = states.get(command.movie_id, MovieState())
        events = decide(command, movie)
        states[command.movie_id] = reduce(evolve, events, movie)
        decided.append(events)
    return decided


def _entries(events: Sequence[MovieEvent], versions: dict[str, int]) -> Sequence[AppendEntry]:
    entries = []
    for event in events:
        stream = stream_of(event.movie_id)
        versions[stream.name] = versions.get(stream.name, 0) + 1
        entries.append(AppendEntry(stream, versions[stream.name], event))
    return entries
