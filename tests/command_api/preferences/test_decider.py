"""Rules for changing preferences."""

from functools import reduce
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec import UNSET

from command_api.preferences.decider import ChangePreferences, PreferencesState, decide, evolve
from events.catalogue import PreferencesChanged

ANN = UUID(int=1)


def change(**fields):
    return ChangePreferences(user_id=ANN, **fields)


def changed(**now):
    return PreferencesChanged(user_id=ANN, **now)


def given(*events):
    return reduce(evolve, events, PreferencesState())


def test_preferences_command_changes_only_given_fields():
    history = given(changed(genres=("Comedy",), public_activity=True, strategy="taste"))
    assert decide(change(public_activity=False), history) == (
        changed(genres=("Comedy",), public_activity=False, strategy="taste"),
    )


def test_preferences_can_be_reset():
    history = given(changed(genres=("Comedy",), strategy="taste"))
    assert decide(change(genres=(), strategy=None), history) == (changed(),)


def test_preferences_set_again_lead_to_no_event():
    history = given(changed(genres=("Comedy",)))
    assert decide(change(genres=("Comedy", "Comedy")), history) == ()
    assert decide(change(), history) == ()


def test_preferences_set_to_defaults_lead_to_no_event():
    assert decide(change(genres=(), public_activity=False, strategy=None), given()) == ()


commands = st.builds(
    change,
    genres=st.just(UNSET) | st.lists(st.sampled_from(["Comedy", "Drama"])).map(tuple),
    public_activity=st.just(UNSET) | st.booleans(),
    strategy=st.just(UNSET) | st.none() | st.sampled_from(["taste", "trend"]),
)


@for_all(st.lists(commands, max_size=20))
def test_preferences_event_changes_something_and_carries_all(commands):
    state = PreferencesState()
    for command in commands:
        for event in decide(command, state):
            assert evolve(PreferencesState(), event) == evolve(state, event) != state
            state = evolve(state, event)
        assert decide(command, state) == ()
