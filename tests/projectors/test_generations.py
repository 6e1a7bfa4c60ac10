"""Does a worker write a generation that its own version of the code began, and no other?"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import pytest

from events.recorded import Recorded
from events.store.generations import version_of
from projectors.generations import choose, is_current
from projectors.live import Live
from projectors.read_model import ReadModel
from projectors.shard import Shard, Write

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
def live(redis) -> Live:
    return Live(redis)


def test_workers_of_one_version_write_the_same(live):
    assert choose(Old, live) == choose(Old, live)


def test_the_live_one_goes_on(live, redis):
    number = choose(Old, live)
    live.switch("thing", number)
    assert choose(Old, live) == number
    assert is_current(Old(redis, number), live)


def test_another_shape_is_built_beside_the_live_one(live):
    before = choose(Old, live)
    live.switch("thing", before)
    coming = choose(New, live)
    assert coming != before
    assert live.generation("thing") == before
    assert choose(New, live) == coming


def test_what_another_version_began_to_build_is_not_gone_on_with(live, redis):
    begun = choose(Old, live)
    coming = choose(New, live)
    assert (coming != begun, version_of("thing", coming)) == (True, New.version)
    assert choose(New, live) == coming
    assert not is_current(Old(redis, begun), live)


def test_a_worker_of_the_live_generation_leaves_the_coming_one_alone(live, redis):
    before = choose(Old, live)
    live.switch("thing", before)
    coming = choose(New, live)
    live.switch("thing", before)  # as each worker does when it is level for the first time
    assert live.coming("thing") == coming
    assert is_current(New(redis, coming), live)
