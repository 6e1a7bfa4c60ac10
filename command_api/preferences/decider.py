"""When does a change of preferences become an event?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET, UnsetType

from command_api.aggregate import Aggregate
from events.catalogue import PreferencesChanged
from events.recorded import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreferences:
    """Change what is given, leave the rest."""

    user_id: UUID
    genres: tuple[str, ...] | UnsetType = UNSET
    public_activity: bool | UnsetType = UNSET
    strategy: str | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesState:
    """What a user prefers; by default nothing, and nothing is shown."""

    genres: tuple[str, ...] = ()
    public_activity: bool = False
    strategy: str | None = None


PreferencesEvent: TypeAlias = PreferencesChanged


def decide(command: ChangePreferences, current: PreferencesState) -> Sequence[PreferencesEvent]:
    """What the command leads to; the event carries all, so that nobody needs the ones before."""
    wanted = _changed(command, current)
    if wanted == current:
        return ()
    return (
        PreferencesChanged(
            user_id=command.user_id,
            genres=wanted.genres,
            public_activity=wanted.public_activity,
            strategy=wanted.strategy,
        ),
    )


def evolve(_before: PreferencesState, event: PreferencesEvent) -> PreferencesState:
    """The preferences after an event."""
    return PreferencesState(
        genres=event.genres, public_activity=event.public_activity, strategy=event.strategy
    )


def _changed(command: ChangePreferences, current: PreferencesState) -> PreferencesState:
    after = current
    if command.genres is not UNSET:
        after = replace(after, genres=tuple(dict.fromkeys(command.genres)))
    if command.public_activity is not UNSET:
        after = replace(after, public_activity=command.public_activity)
    if command.strategy is not UNSET:
        after = replace(after, strategy=command.strategy)
    return after


preferences: Aggregate[ChangePreferences, PreferencesState, PreferencesEvent] = Aggregate(
    stream=lambda command: Stream(f"preferences-{command.user_id}", str(command.user_id)),
    initial=PreferencesState(),
    decide=decide,
    evolve=evolve,
)
