"""The loop: chooses the next victim and measures how long the platform is unwell.

Victims are killed one after the other in random order, sometimes two at once. The next one is
killed soon after the platform is well again, even while others still start; a victim that is down
waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import monotonic

from tests.faults.kill_loop.health import Health
from tests.faults.kill_loop.victims import Victim

_PAUSE_SECONDS = (0.3, 2.0)
_TWO_AT_ONCE = 0.2
_STUCK_SECONDS = 600.0


class NeverWell(Exception):
    """The platform or a victim did not recover in time."""


@dataclass
class Record:
    """Kills of one victim and its longest recovery."""

    kills: int = 0
    longest_unwell_seconds: float = 0.0
    """From its death until a write and a read were answered again."""
    longest_away_seconds: float = 0.0
    """From its death until it answered itself again."""


@dataclass
class _Death:
    victim: Victim
    at: float
    is_well: bool = False
    is_back: bool = False


class Loop:
    """Kills victims and measures recovery; call ``turn`` repeatedly."""

    def __init__(self, victims: Sequence[Victim], health: Health, random: Random) -> None:
        self.records = {victim.name: Record() for victim in victims}
        self._victims = victims
        self._health = health
        self._random = random
        self._queue: list[Victim] = []
        self._deaths: list[_Death] = []
        self._next_at = 0.0

    @property
    def is_quiet(self) -> bool:
        """Whether all killed victims are back and the platform is well."""
        return not self._deaths

    @property
    def had_everyone(self) -> bool:
        """Whether each victim was killed at least once."""
        return all(record.kills for record in self.records.values())

    def watch(self) -> None:
        """Note which victims are back; raises NeverWell."""
        now = monotonic()
        for death in self._deaths:
            self._watch(death, now)
        self._deaths = [d for d in self._deaths if not (d.is_well and d.is_back)]
        self._health.forget(min((death.at for death in self._deaths), default=now))

    def turn(self) -> None:
        """Watch, and kill when it is time."""
        self.watch()
        now = monotonic()
        if now < self._next_at or not all(death.is_well for death in self._deaths):
            return
        for _ in range(2 if self._random.random() < _TWO_AT_ONCE else 1):
            self._kill_next()
        self._next_at = monotonic() + self._random.uniform(*_PAUSE_SECONDS)

    def _watch(self, death: _Death, now: float) -> None:
        record = self.records[death.victim.name]
        if not death.is_well and (well_at := self._health.well_after(death.at)) is not None:
            death.is_well = True
            unwell = well_at - death.at
            record.longest_unwell_seconds = max(record.longest_unwell_seconds, unwell)
        if not death.is_back and death.victim.is_back():
            death.is_back = True
            record.longest_away_seconds = max(record.longest_away_seconds, now - death.at)
        if now - death.at > _STUCK_SECONDS:
            what = (
                "has not restarted" if death.is_well else "was killed and the platform is not well"
            )
            raise NeverWell(f"{death.victim.name} {what} after {_STUCK_SECONDS:.0f} s")

    def _kill_next(self) -> None:
        if not self._queue:
            self._queue = self._random.sample(self._victims, len(self._victims))
        down = {death.victim.name for death in self._deaths}
        up = [victim for victim in self._queue if victim.name not in down]
        if not up:
            return
        victim = up[0]
        self._queue.remove(victim)
        at = monotonic()
        if victim.kill():
            self.records[victim.name].kills += 1
            self._deaths.append(_Death(victim, at))
