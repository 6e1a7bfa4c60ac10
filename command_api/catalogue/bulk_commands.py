"""How are many commands about movies handled in one transaction?"""

from collections.abc import Sequence
from functools import reduce
from typing import TypeAlias

from django.db import IntegrityError, transaction

from command_api.catalogue import inline_projection
from command_api.catalogue.decider import MovieCommand, MovieState, decide, evolve, stream_of
from events import notifications
from events.catalogue import MovieEvent
from events.recorded import Origin
from events.store import AppendEntry, EventStore, WrongExpectedVersion

Decided: TypeAlias = Sequence[Sequence[MovieEvent]]  # what each command led to, in their order

_TRIES = 3


def handle_all(commands: Sequence[MovieCommand], store: EventStore, *, origin: Origin) -> Decided:
    """Decide all, write tables and log, all or nothing; decide again when a movie moved."""
    for _ in range(_TRIES - 1):
        try:
            return _handle_once(commands, store, origin)
        except (WrongExpectedVersion, IntegrityError):  # someone else's rows came first
            continue
    return _handle_once(commands, store, origin)


def _handle_once(commands: Sequence[MovieCommand], store: EventStore, origin: Origin) -> Decided:
    streams = [stream_of(movie_id) for movie_id in {command.movie_id for command in commands}]
    # The versions first: tables that are newer than they say make the append fail, never pass.
    versions = store.versions(streams)
    there = inline_projection.movie_states([int(s.owner) for s in streams if s.name in versions])
    decided = _decide_each(commands, there)
    events = [event for each in decided for event in each]
    if events:
        with transaction.atomic():
            inline_projection.apply(events)
            positions = store.append_many(_entries(events, versions), origin=origin)
        notifications.announce(*{position.partition for position in positions})
    return decided


def _decide_each(commands: Sequence[MovieCommand], there: dict[int, MovieState]) -> Decided:
    decided = []
    for command in commands:
        movie = there.get(command.movie_id, MovieState())
        events = decide(command, movie)
        there[command.movie_id] = reduce(evolve, events, movie)
        decided.append(events)
    return decided


def _entries(events: Sequence[MovieEvent], versions: dict[str, int]) -> Sequence[AppendEntry]:
    entries = []
    for event in events:
        stream = stream_of(event.movie_id)
        versions[stream.name] = versions.get(stream.name, 0) + 1
        entries.append(AppendEntry(stream, versions[stream.name], event))
    return entries
