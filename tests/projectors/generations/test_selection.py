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
    """A model as it was."""

    name: ClassVar[str] = "thing"
    by_partition: ClassVar[bool] = False

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        return ()


class New(Old):
    """The same in another shape."""

    version: ClassVar[int] = 2


@pytest.fixture
def pointers(redis) -> Pointers:
    return Pointers(redis)


@pytest.fixture
def selection(pointers) -> GenerationSelection:
    return GenerationSelection(pointers)


def test_workers_of_one_version_write_the_same(selection, pointers):
    assert selection.choose(Old) == GenerationSelection(pointers).choose(Old)


def test_the_live_one_goes_on(selection, pointers):
    number = selection.choose(Old)
    assert selection.select([Old]) == {("thing", number): "coming"}
    pointers.switch({"thing": number})
    assert selection.select([Old]) == {("thing", number): "live"}


def test_another_shape_is_built_beside_the_live_one(selection, pointers, redis):
    before = selection.choose(Old)
    pointers.switch({"thing": before})
    coming = selection.choose(New)
    assert coming != before
    assert Live(redis).generation("thing") == before
    assert selection.select([New]) == {("thing", coming): "coming"}


def test_what_another_version_began_to_build_is_not_gone_on_with(selection):
    begun = selection.choose(Old)
    coming = selection.choose(New)
    assert (coming != begun, version_of("thing", coming)) == (True, New.version)
    assert selection.select([New]) == {("thing", coming): "coming"}


def test_a_worker_of_the_live_generation_leaves_the_coming_one_alone(selection, pointers):
    before = selection.choose(Old)
    pointers.switch({"thing": before})
    coming = selection.choose(New)
    pointers.switch({"thing": before})
    assert pointers.snapshot().coming == {"thing": coming}


def test_who_answered_before_is_kept_and_can_come_back(selection, pointers):
    first = selection.choose(Old)
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


def test_an_old_one_of_another_shape_is_not_written(selection, pointers):
    first = selection.choose(Old)
    pointers.switch({"thing": first})
    pointers.switch({"thing": selection.choose(New)})
    assert list(selection.select([New]).values()) == ["live"]
    assert ("thing", first) in pointers.snapshot().kept
