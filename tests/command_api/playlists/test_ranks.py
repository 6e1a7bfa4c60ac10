"""Does a rank always put a movie where it is wanted, and move few others?"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_api.playlists.ranks import FAR, ROOM, Placed, place

EXACT = 2**53
"""Up to here a sorted set keeps integers as they are."""


def test_the_first_and_the_ends():
    assert place([], 0) == Placed(0)
    assert place([5], 0) == Placed(5 - FAR)
    assert place([5], 1) == Placed(5 + FAR)


def test_between_two():
    assert place([0, 10], 1) == Placed(5)
    assert place([-3, -1], 1) == Placed(-2)


def test_where_there_is_no_room_a_stretch_is_spread_out():
    ranks = [*range(0, 100 * FAR, FAR), 100 * FAR, 100 * FAR + 1, *range(101 * FAR, 200 * FAR, FAR)]
    placed = place(ranks, 101)
    assert {nth for nth, _ in placed.moved} <= set(range(97, 105))
    after = list(ranks)
    for nth, rank in placed.moved:
        after[nth] = rank
    after.insert(101, placed.rank)
    gaps = {second - first for first, second in pairwise(after[97:105])}
    assert len(gaps) == 1
    assert gaps.pop() >= ROOM


def test_a_whole_playlist_without_room_gets_some_beyond_its_ends():
    placed = place(range(2000), 1000)
    assert len(placed.moved) == 2000


@given(st.lists(st.integers(-50, 50), unique=True, max_size=20).map(sorted), st.data())
def test_the_order_is_right_after_every_change(ranks, data):
    at = data.draw(st.integers(0, len(ranks)))
    placed = place(ranks, at)
    now = list(ranks)
    for nth, rank in placed.moved:
        now[nth] = rank
        assert now == sorted(set(now))
    after = [*now[:at], placed.rank, *now[at:]]
    assert after == sorted(set(after))


@pytest.mark.parametrize("at", [0, 1, 1000, -2, -1])
def test_two_thousand_at_one_place_move_less_than_one_other_each(at):
    ranks, moved = [0, FAR], 0
    while len(ranks) < 2000:
        where = min(at, len(ranks)) if at >= 0 else len(ranks) + 1 + at
        placed = place(ranks, where)
        for nth, rank in placed.moved:
            ranks[nth] = rank
        ranks.insert(where, placed.rank)
        moved += len(placed.moved)
    assert ranks == sorted(set(ranks))
    assert max(map(abs, ranks)) < EXACT
    assert moved < 2000
