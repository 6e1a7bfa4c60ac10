"""Does the cursor only pass what is confirmed?"""

from hypothesis import given
from hypothesis import strategies as st

from events.recorded import Position
from events.relay.confirms import Progress


def test_waits_for_the_first_that_is_open():
    progress = Progress([10, 0])
    for offset in (11, 12, 13):
        progress.take(Position(0, offset))
    progress.confirm(Position(0, 12))
    assert progress.moved() == {}
    progress.confirm(Position(0, 11))
    assert progress.moved() == {0: 12}
    assert progress.taken == [13, 0]


def test_tells_of_a_move_once():
    progress = Progress([0])
    progress.take(Position(0, 1))
    progress.confirm(Position(0, 1))
    progress.note(progress.moved())
    assert progress.moved() == {}


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60), st.randoms())
def test_is_the_longest_confirmed_beginning(steps, random):
    progress = Progress([0] * 4)
    is_open: list[Position] = []
    confirmed: set[Position] = set()
    for partition, takes in steps:
        if takes or not is_open:
            is_open.append(Position(partition, progress.taken[partition] + 1))
            progress.take(is_open[-1])
        else:
            position = is_open.pop(random.randrange(len(is_open)))
            confirmed.add(position)
            progress.confirm(position)
        for each in range(4):
            cursor = progress.cursor(each)
            assert confirmed.issuperset(Position(each, 1 + nth) for nth in range(cursor))
            assert Position(each, cursor + 1) not in confirmed
