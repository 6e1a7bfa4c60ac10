"""When does it become an event that somebody is to be forgotten?"""

from uuid import UUID

from command_api.erasure.decider import EraseUser, ErasureState, decide, erasure, evolve
from events.catalogue import UserErased

ANN = UUID(int=1)
GONE = UserErased(user_id=ANN, playlists=("000aa",))


def test_says_whose_and_which_playlists():
    assert decide(EraseUser(ANN, ("000aa",)), ErasureState()) == (GONE,)


def test_is_said_once():
    assert decide(EraseUser(ANN, ("000aa",)), evolve(ErasureState(), GONE)) == ()


def test_is_said_again_for_what_came_behind():
    assert decide(EraseUser(ANN, ("000aa",), has_more=True), evolve(ErasureState(), GONE)) == (
        GONE,
    )


def test_has_a_stream_of_its_own_beside_what_they_did():
    assert erasure.stream(EraseUser(ANN)) == (f"erasure-{ANN}", str(ANN))
