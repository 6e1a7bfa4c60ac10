"""When is it news that a movie is hidden, or is so no more?"""

from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from command_api.hidden.decider import HideMovie, Hiding, UnhideMovie, decide, evolve
from events.catalogue import MovieHidden, MovieUnhidden
from infra.errors import NotFound

ANN = UUID(int=1)
ALIEN = 7
DO, UNDO = HideMovie(ANN, ALIEN), UnhideMovie(ANN, ALIEN)
DONE = MovieHidden(user_id=ANN, movie_id=ALIEN)
UNDONE = MovieUnhidden(user_id=ANN, movie_id=ALIEN)


def given(*events):
    return reduce(evolve, events, Hiding())


@pytest.mark.parametrize(
    ("before", "wish", "news"),
    [
        ([], DO, (DONE,)),
        ([DONE], DO, ()),
        ([DONE], UNDO, (UNDONE,)),
        ([DONE, UNDONE], DO, (DONE,)),
    ],
)
def test_what_is_news(before, wish, news):
    assert decide(wish, given(*before)) == news


@pytest.mark.parametrize("before", [[], [DONE, UNDONE]])
def test_what_is_not_there_cannot_be_taken_back(before):
    with pytest.raises(NotFound):
        decide(UNDO, given(*before))


@for_all(st.lists(st.sampled_from([DO, UNDO]), max_size=20))
def test_events_always_take_turns(wishes):
    events: list[object] = []
    state = Hiding()
    for wish in wishes:
        try:
            news = decide(wish, state)
        except NotFound:
            assert wish == UNDO
            continue
        events += news
        state = reduce(evolve, news, state)
        assert state.is_hidden == (wish == DO)
    assert events == [DONE, UNDONE] * (len(events) // 2) + [DONE] * (len(events) % 2)
