"""Rules for changing preferences."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from command_api.aggregate import Aggregate
from events.catalogue import PreferencesChanged
from events.recorded import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreferences:
    """Change the given preferences; the others stay."""

    user_id: UUID
    genres: tuple[str, ...] | UnsetType = UNSET
    public_activity: bool | UnsetType = UNSET
    strategy: str | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesState:
    """A user's preferences; by default activity is private."""

    genres: tuple[str, ...] = ()
    public_activity: bool = False
    strategy: str | None = None


PreferencesEvent: TypeAlias = PreferencesChanged


def decide(command: ChangePreferences, current: PreferencesState) -> Sequence[PreferencesEvent]:
    """Return an event with all preferences, so that readers need no earlier ones."""
    changed = _changed(command, current)
    if changed == current:
        return ()
    return (PreferencesChanged(user_id=command.user_id, **asdict(changed)),)


def evolve(_before: PreferencesState, event: PreferencesEvent) -> PreferencesState:
    return msgspec.convert(event, PreferencesState, from_attributes=True)


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
