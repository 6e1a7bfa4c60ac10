"""Generation selection: which generations a worker writes, and in which role."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import pytest

from events.recorded import Recorded
from events.store.generations import new_generation, version_of
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.generations.selection import GenerationSelection
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write

pytestmark = pytest.mark.django_db


class Old(ReadModel):
    """Version of a model before the update."""

    name: ClassVar[str] = "thing"
    by_partition: ClassVar[bool] = False

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        return ()


class New(Old):
    """The same model with another shape."""

    version: ClassVar[int] = 2


@pytest.fixture
def pointers(redis) -> Pointers:
    return Pointers(redis)


@pytest.fixture
def selection(pointers) -> GenerationSelection:
    return GenerationSelection(pointers)


def choose(selection, model):
    """Number of the live generation, or of the coming one."""
    [number] = [
        number
        for (_, number), role in selection.select([model]).items()
        if role in ("live", "coming")
    ]
    return number


def test_workers_of_one_version_select_the_same_generation(selection, pointers):
    assert choose(selection, Old) == choose(GenerationSelection(pointers), Old)


def test_live_generation_of_this_version_stays_selected(selection, pointers):
    number = choose(selection, Old)
    assert selection.select([Old]) == {("thing", number): "coming"}
    pointers.switch({"thing": number})
    assert selection.select([Old]) == {("thing", number): "live"}


def test_new_version_gets_a_coming_generation_beside_the_live_one(selection, pointers, redis):
    before = choose(selection, Old)
    pointers.switch({"thing": before})
    coming = choose(selection, New)
    assert coming != before
    assert Live(redis).generation("thing") == before
    assert selection.select([New]) == {("thing", coming): "coming"}


def test_coming_generation_of_another_version_is_not_resumed(selection):
    started = choose(selection, Old)
    coming = choose(selection, New)
    assert (coming != started, version_of("thing", coming)) == (True, New.version)
    assert selection.select([New]) == {("thing", coming): "coming"}


def test_worker_of_the_live_version_does_not_write_the_coming_generation(selection, pointers):
    before = choose(selection, Old)
    pointers.switch({"thing": before})
    coming = choose(selection, New)
    pointers.switch({"thing": before})
    assert pointers.snapshot().coming == {"thing": coming}


def test_previous_generation_is_kept_and_can_be_switched_to(selection, pointers):
    first = choose(selection, Old)
    pointers.switch({"thing": first})
    second = new_generation("thing", version=Old.version, purpose="rebuild")
    pointers.join({"thing": second})
    assert selection.select([Old]) == {("thing", first): "live", ("thing", second): "joining"}
    pointers.switch({"thing": second})
    assert selection.select([Old]) == {("thing", first): "kept", ("thing", second): "live"}
    pointers.switch({"thing": first})
    assert selection.select([Old]) == {("thing", first): "live", ("thing", second): "kept"}
    pointers.release("thing", second)
    assert selection.select([Old]) == {("thing", first): "live"}


def test_kept_generation_of_another_version_is_not_written(selection, pointers):
    first = choose(selection, Old)
    pointers.switch({"thing": first})
    pointers.switch({"thing": choose(selection, New)})
    assert list(selection.select([New]).values()) == ["live"]
    assert ("thing", first) in pointers.snapshot().kept
