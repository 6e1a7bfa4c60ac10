"""Confirm tracker: cursors pass only what is confirmed without a gap."""

from hypothesis import given
from hypothesis import strategies as st

from events.recorded import Position
from events.relay.confirms import ConfirmTracker


def test_cursor_stops_before_the_first_unconfirmed_event():
    tracker = ConfirmTracker([10, 0])
    for offset in (11, 12, 13):
        tracker.track(Position(0, offset))
    tracker.confirm(Position(0, 12))
    assert tracker.unsaved_cursors() == {}
    tracker.confirm(Position(0, 11))
    assert tracker.unsaved_cursors() == {0: 12}
    assert tracker.read_offsets == [13, 0]


def test_saved_cursors_are_not_reported_again():
    tracker = ConfirmTracker([0])
    tracker.track(Position(0, 1))
    tracker.confirm(Position(0, 1))
    tracker.mark_saved(tracker.unsaved_cursors())
    assert tracker.unsaved_cursors() == {}


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60), st.randoms())
def test_cursor_is_the_longest_confirmed_prefix(steps, random):
    tracker = ConfirmTracker([0] * 4)
    is_open: list[Position] = []
    confirmed: set[Position] = set()
    for partition, takes in steps:
        if takes or not is_open:
            is_open.append(Position(partition, tracker.read_offsets[partition] + 1))
            tracker.track(is_open[-1])
        else:
            position = is_open.pop(random.randrange(len(is_open)))
            confirmed.add(position)
            tracker.confirm(position)
        for each in range(4):
            cursor = tracker.cursor(each)
            assert confirmed.issuperset(Position(each, 1 + nth) for nth in range(cursor))
            assert Position(each, cursor + 1) not in confirmed
