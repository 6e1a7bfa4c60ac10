"""Opinion flags: which commands lead to an event."""

from functools import reduce
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from command_api.opinion_flags.decider import (
    ClearFlag,
    FavouriteMovie,
    FlagAggregate,
    FlagEvent,
    HideMovie,
    SetFlag,
    UnfavouriteMovie,
    UnhideMovie,
    favourite,
    hidden,
)
from events.catalogue import MovieFavourited, MovieHidden, MovieUnfavourited, MovieUnhidden
from infra.errors import NotFound

ANN = UUID(int=1)
ALIEN = 7
FACTS: dict[str, Any] = {"user_id": ANN, "movie_id": ALIEN}


class Flag(NamedTuple):
    """One of the flags, with its commands and the events they lead to."""

    aggregate: FlagAggregate
    set_it: SetFlag
    clear_it: ClearFlag
    was_set: FlagEvent
    was_cleared: FlagEvent

    def after(self, *events):
        return reduce(self.aggregate.evolve, events, self.aggregate.initial)


FAVOURITE = Flag(
    favourite,
    FavouriteMovie(ANN, ALIEN),
    UnfavouriteMovie(ANN, ALIEN),
    MovieFavourited(**FACTS),
    MovieUnfavourited(**FACTS),
)
HIDDEN = Flag(
    hidden,
    HideMovie(ANN, ALIEN),
    UnhideMovie(ANN, ALIEN),
    MovieHidden(**FACTS),
    MovieUnhidden(**FACTS),
)
both_flags = pytest.mark.parametrize("flag", [FAVOURITE, HIDDEN], ids=["favourite", "hidden"])


@both_flags
def test_set_command_leads_to_an_event_only_while_the_flag_is_not_set(flag):
    decide = flag.aggregate.decide
    assert decide(flag.set_it, flag.after()) == (flag.was_set,)
    assert decide(flag.set_it, flag.after(flag.was_set)) == ()
    assert decide(flag.set_it, flag.after(flag.was_set, flag.was_cleared)) == (flag.was_set,)


@both_flags
def test_clear_command_leads_to_an_event_while_the_flag_is_set(flag):
    assert flag.aggregate.decide(flag.clear_it, flag.after(flag.was_set)) == (flag.was_cleared,)


@both_flags
def test_clear_command_is_refused_while_the_flag_is_not_set(flag):
    for state in (flag.after(), flag.after(flag.was_set, flag.was_cleared)):
        with pytest.raises(NotFound):
            flag.aggregate.decide(flag.clear_it, state)


@both_flags
@for_all(set_or_clear=st.lists(st.booleans(), max_size=20))
def test_events_of_a_flag_alternate_whatever_commands_are_sent(flag, set_or_clear):
    events: list[FlagEvent] = []
    state = flag.aggregate.initial
    for sets in set_or_clear:
        try:
            decided = flag.aggregate.decide(flag.set_it if sets else flag.clear_it, state)
        except NotFound:
            assert not sets
            continue
        events += decided
        state = reduce(flag.aggregate.evolve, decided, state)
        assert state.is_set == sets
    pairs, rest = divmod(len(events), 2)
    assert events == [flag.was_set, flag.was_cleared] * pairs + [flag.was_set] * rest
