"""Rules for erasing a user."""

from uuid import UUID

from command_api.erasure.decider import EraseUser, ErasureState, decide, erasure, evolve
from events.catalogue import UserErased

ANN = UUID(int=1)
ERASED = UserErased(user_id=ANN, playlists=("000aa",))


def test_erasure_event_names_the_user_and_their_playlists():
    assert decide(EraseUser(ANN, ("000aa",)), ErasureState()) == (ERASED,)


def test_erasure_event_is_recorded_once():
    assert decide(EraseUser(ANN, ("000aa",)), evolve(ErasureState(), ERASED)) == ()


def test_erasure_event_is_repeated_after_late_events():
    assert decide(EraseUser(ANN, ("000aa",), has_more=True), evolve(ErasureState(), ERASED)) == (
        ERASED,
    )


def test_erasure_has_its_own_stream_in_the_users_partition():
    assert erasure.stream(EraseUser(ANN)) == (f"erasure-{ANN}", str(ANN))
