"""Backpressure: a rebuild waits for live models that are behind."""

from collections.abc import Mapping

import pytest

from projectors.generations.live import Live
from projectors.generations.pointers import GenerationId, Pointers, PointerSnapshot
from projectors.rebuild import backpressure
from projectors.rebuild.backpressure import BEHIND_SECONDS, Backpressure, behind_seconds

NOW = 1_000_000.0
NUMBER = 3
"""Number of every live generation."""
LONG = BEHIND_SECONDS + 60


class Levels(Live):
    """Live models that were level a given number of seconds ago."""

    def __init__(self, behind: Mapping[str, float]) -> None:
        self._behind = behind

    def level_at(self, name: str) -> float | None:
        return NOW - self._behind[name] if name in self._behind else None


class Workers(Pointers):
    """Live models and models that a worker follows."""

    def __init__(self, live: Mapping[str, int], followed: set[GenerationId]) -> None:
        self._live = dict(live)
        self._followed = followed

    def snapshot(self) -> PointerSnapshot:
        return PointerSnapshot(live=self._live, coming={}, joining={}, kept={}, past={})

    def followed(self) -> set[GenerationId]:
        return self._followed


@pytest.fixture(autouse=True)
def _now(monkeypatch) -> None:
    monkeypatch.setattr(backpressure, "time", lambda: NOW)


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """Seconds that the rebuild paused, in order."""
    seconds: list[float] = []
    monkeypatch.setattr(backpressure, "sleep", seconds.append)
    return seconds


def wait_once(behind: Mapping[str, float], followed: set[GenerationId] | None = None) -> None:
    live = dict.fromkeys(behind, NUMBER)
    workers = Workers(live, set(live.items()) if followed is None else followed)
    Backpressure(Levels(behind), workers).wait()


def test_rebuild_does_not_wait_while_all_models_are_level(pauses):
    wait_once({"trending": 0.5, "library": 1.0})
    assert pauses == []


def test_rebuild_waits_for_any_lagging_live_model(pauses):
    """The pause is the same whatever is rebuilt."""
    wait_once({"trending": 0.5, "library": LONG})
    assert len(pauses) == 1


def test_rebuild_does_not_wait_for_models_without_worker(pauses):
    wait_once({"trending": 0.5, "library": LONG}, {("trending", NUMBER)})
    assert pauses == []


def test_rebuild_does_not_wait_for_a_live_generation_that_is_not_followed(pauses):
    """Its lag does not shrink, however long the rebuild waits."""
    wait_once({"library": LONG}, {("library", NUMBER + 1)})
    assert pauses == []


def test_rebuild_makes_one_step_after_each_wait(pauses, monkeypatch):
    monkeypatch.setattr(backpressure, "_POLL_SECONDS", 0.0)
    behind = {"library": LONG}
    polite = Backpressure(Levels(behind), Workers({"library": NUMBER}, {("library", NUMBER)}))
    polite.wait()
    polite.wait()
    behind["library"] = 0.0
    polite.wait()
    assert len(pauses) == 2


def test_lag_is_that_of_the_model_furthest_behind():
    levels = Levels({"trending": 2.0, "library": 40.0})
    assert behind_seconds(levels, ("trending", "library", "movies")) == 40.0
    assert behind_seconds(levels, ("movies",)) == 0.0
