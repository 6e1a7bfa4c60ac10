"""Ranks: a movie comes where it is put, and few others move."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_api.playlists.ranks import FAR, ROOM, RankPlan, insert_rank

EXACT = 2**53
"""The largest integer that a sorted set stores exactly."""


def test_rank_of_the_first_movie_and_at_the_ends():
    assert insert_rank([], 0) == RankPlan(0)
    assert insert_rank([5], 0) == RankPlan(5 - FAR)
    assert insert_rank([5], 1) == RankPlan(5 + FAR)


def test_rank_between_two_others_is_their_middle():
    assert insert_rank([0, 10], 1) == RankPlan(5)
    assert insert_rank([-3, -1], 1) == RankPlan(-2)


def test_rank_without_room_spreads_a_stretch_out():
    ranks = [*range(0, 100 * FAR, FAR), 100 * FAR, 100 * FAR + 1, *range(101 * FAR, 200 * FAR, FAR)]
    placed = insert_rank(ranks, 101)
    assert {nth for nth, _ in placed.moved} <= set(range(97, 105))
    after = list(ranks)
    for nth, rank in placed.moved:
        after[nth] = rank
    after.insert(101, placed.rank)
    gaps = {second - first for first, second in pairwise(after[97:105])}
    assert len(gaps) == 1
    assert gaps.pop() >= ROOM


def test_ranks_of_a_full_playlist_spread_beyond_its_ends():
    placed = insert_rank(range(2000), 1000)
    assert len(placed.moved) == 2000


@given(st.lists(st.integers(-50, 50), unique=True, max_size=20).map(sorted), st.data())
def test_ranks_keep_the_order_at_every_step(ranks, data):
    at = data.draw(st.integers(0, len(ranks)))
    placed = insert_rank(ranks, at)
    now = list(ranks)
    for nth, rank in placed.moved:
        now[nth] = rank
        assert now == sorted(set(now))
    after = [*now[:at], placed.rank, *now[at:]]
    assert after == sorted(set(after))


@pytest.mark.parametrize("at", [0, 1, 1000, -2, -1])
def test_rank_insertions_at_one_index_move_less_than_one_other_on_average(at):
    ranks, moved = [0, FAR], 0
    while len(ranks) < 2000:
        where = min(at, len(ranks)) if at >= 0 else len(ranks) + 1 + at
        placed = insert_rank(ranks, where)
        for nth, rank in placed.moved:
            ranks[nth] = rank
        ranks.insert(where, placed.rank)
        moved += len(placed.moved)
    assert ranks == sorted(set(ranks))
    assert max(map(abs, ranks)) < EXACT
    assert moved < 2000
