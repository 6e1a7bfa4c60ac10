"""Which changes of a playlist are news, and who may make them?"""

from dataclasses import replace
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from command_api.playlists.decider import (
    MOST_MOVIES,
    ChangePlaylist,
    CreatePlaylist,
    DeletePlaylist,
    PlaylistState,
    PlaylistText,
    PutMovie,
    RemoveMovie,
    decide,
    evolve,
)
from command_api.playlists.ranks import FAR
from events.catalogue import (
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistDescribed,
    PlaylistMovieAdded,
    PlaylistMovieMoved,
    PlaylistMovieRemoved,
    PlaylistRenamed,
    PlaylistShown,
)
from events.catalogue.accounts import EncryptedField
from infra.errors import Conflict, Invalid, NotFound, PreconditionFailed

ANN, BOB = UUID(int=1), UUID(int=2)
ME: dict[str, Any] = {"playlist_id": "p", "user_id": ANN}


def words(text):
    return PlaylistText(text, EncryptedField(f"sealed {text}"))


def created(name="Noir", description=None, visibility="private"):
    """As the log says it when it was opened."""
    return PlaylistCreated(**ME, name=name, description=description, visibility=visibility)


def added(movie, rank):
    return PlaylistMovieAdded(**ME, movie_id=movie, rank=rank)


def moved(movie, rank):
    return PlaylistMovieMoved(**ME, movie_id=movie, rank=rank)


def given(*events):
    return reduce(evolve, events, PlaylistState())


def put(movie, position=None, **more):
    return PutMovie(**ME | more, movie_id=movie, position=position)


def three():
    """Movies 1, 2, 3."""
    return given(created(), added(1, 0), added(2, FAR), added(3, 2 * FAR))


def test_a_new_one():
    wish = CreatePlaylist(**ME, name=words("Noir"), description=words("Dark"), visibility="public")
    assert decide(wish, given()) == (
        created(EncryptedField("sealed Noir"), EncryptedField("sealed Dark"), "public"),
    )


def test_it_is_private_unless_that_is_said():
    assert decide(CreatePlaylist(**ME, name=words("Noir")), given()) == (
        created(EncryptedField("sealed Noir")),
    )


def test_one_that_is_there_is_not_begun_again():
    with pytest.raises(Conflict):
        decide(CreatePlaylist(**ME, name=words("Noir")), given(created()))


def test_each_change_is_an_event():
    wish = ChangePlaylist(**ME, name=words("Night"), description=words("Dark"), visibility="public")
    assert decide(wish, given(created())) == (
        PlaylistRenamed(**ME, name=EncryptedField("sealed Night")),
        PlaylistDescribed(**ME, description=EncryptedField("sealed Dark")),
        PlaylistShown(**ME, visibility="public"),
    )


def test_the_same_words_again_are_not_news():
    current = given(created(description="Dark"))
    wish = ChangePlaylist(**ME, name=words("Noir"), description=words("Dark"), visibility="private")
    assert decide(wish, current) == ()
    assert decide(ChangePlaylist(**ME), current) == ()


def test_a_description_can_be_dropped():
    wish = ChangePlaylist(**ME, description=None)
    assert decide(wish, given(created(description="Dark"))) == (
        PlaylistDescribed(**ME, description=None),
    )
    assert decide(wish, given(created())) == ()


@pytest.mark.parametrize(
    ("unfit", "field"),
    [
        ({"name": words("")}, "name"),
        ({"name": words("x" * 101)}, "name"),
        ({"description": words("x" * 1001)}, "description"),
    ],
)
def test_words_that_are_too_few_or_too_many(unfit, field):
    for wish, current in (
        (CreatePlaylist(**ME | {"name": words("Noir")} | unfit), given()),
        (ChangePlaylist(**ME | unfit), given(created())),
    ):
        with pytest.raises(Invalid) as refusal:
            decide(wish, current)
        assert [error.field for error in refusal.value.errors] == [field]


CHANGES = [
    ChangePlaylist(**ME, visibility="public"),
    DeletePlaylist(**ME),
    put(4),
    put(1, 2),
    RemoveMovie(**ME, movie_id=1),
]


@pytest.mark.parametrize("wish", CHANGES, ids=lambda wish: type(wish).__name__)
def test_only_the_owner_of_a_playlist_that_is_there_changes_it(wish):
    gone = given(created(), PlaylistDeleted(**ME))
    reasons = []
    for theirs, current in ((wish, given()), (wish, gone), (replace(wish, user_id=BOB), three())):
        with pytest.raises(NotFound) as refusal:
            decide(theirs, current)
        reasons.append(refusal.value.detail)
    assert len(set(reasons)) == 1


@pytest.mark.parametrize("wish", CHANGES, ids=lambda wish: type(wish).__name__)
def test_only_a_version_that_is_insisted_on(wish):
    assert three().version == 4
    assert decide(replace(wish, versions=frozenset({2, 4})), three()) == decide(wish, three())
    for versions in (frozenset({3}), frozenset({5}), frozenset()):
        with pytest.raises(PreconditionFailed):
            decide(replace(wish, versions=versions), three())


def test_a_deleted_one_has_nothing_left():
    current = given(created(), added(1, 0), PlaylistDeleted(**ME))
    assert current == PlaylistState(version=3)


def test_a_new_movie_comes_last():
    assert decide(put(7), given(created())) == (added(7, 0),)
    assert decide(put(7), three()) == (added(7, 3 * FAR),)


def test_a_new_movie_at_a_place():
    assert decide(put(7, 0), three()) == (added(7, -FAR),)
    assert decide(put(7, 1), three()) == (added(7, FAR // 2),)
    assert decide(put(7, 3), three()) == (added(7, 3 * FAR),)


def test_a_movie_that_is_there_is_moved():
    assert decide(put(1, 2), three()) == (moved(1, 3 * FAR),)
    assert decide(put(3, 0), three()) == (moved(3, -FAR),)
    assert decide(put(1, 1), three()) == (moved(1, FAR + FAR // 2),)


@pytest.mark.parametrize("position", [None, 1])
def test_where_it_is_already_is_not_news(position):
    assert decide(put(2, position), three()) == ()


def test_others_make_room_first():
    tight = given(created(), added(1, 0), added(2, 1), added(3, 2))
    events = decide(put(7, 1), tight)
    assert {type(event) for event in events[:-1]} == {PlaylistMovieMoved}
    assert isinstance(events[-1], PlaylistMovieAdded)
    assert reduce(evolve, events, tight).movies == [1, 7, 2, 3]


@pytest.mark.parametrize(("movie", "position"), [(7, -1), (7, 4), (1, 3)])
def test_a_place_that_is_not_there(movie, position):
    with pytest.raises(Invalid) as refusal:
        decide(put(movie, position), three())
    assert [error.field for error in refusal.value.errors] == ["position"]


def test_it_is_full_one_day():
    ranks = {movie: movie * FAR for movie in range(MOST_MOVIES)}
    full = replace(given(created()), ranks=ranks)
    with pytest.raises(Invalid) as refusal:
        decide(put(MOST_MOVIES), full)
    assert [error.field for error in refusal.value.errors] == ["movie_id"]
    assert decide(put(0, MOST_MOVIES - 1), full) == (moved(0, MOST_MOVIES * FAR),)
    assert decide(RemoveMovie(**ME, movie_id=0), full)


def test_what_is_not_in_it_cannot_be_taken_out():
    with pytest.raises(NotFound):
        decide(RemoveMovie(**ME, movie_id=7), three())
    assert decide(RemoveMovie(**ME, movie_id=2), three()) == (
        PlaylistMovieRemoved(**ME, movie_id=2),
    )


movies = st.integers(1, 8)
wishes = st.one_of(
    st.builds(put, movies, st.none() | st.integers(0, 8)),
    st.builds(lambda movie: RemoveMovie(**ME, movie_id=movie), movies),
)


@for_all(st.lists(wishes, max_size=80))
def test_an_order_of_moves_is_always_a_permutation(wanted):
    """The same as when a list is changed by hand; and no other event changes who is before whom."""
    state = given(created())
    by_hand: list[int] = []
    for wish in wanted:
        before = list(by_hand)
        try:
            events = decide(wish, state)
        except (Invalid, NotFound):
            continue
        _do_by_hand(by_hand, wish)
        for event in events:
            state = evolve(state, event)
            others = [movie for movie in state.movies if movie != wish.movie_id]
            assert others == [movie for movie in before if movie != wish.movie_id]
        assert state.movies == by_hand
        assert len(set(state.ranks.values())) == len(by_hand)
        if isinstance(wish, PutMovie):
            assert decide(wish, state) == ()


def _do_by_hand(movies, wish):
    at = movies.index(wish.movie_id) if wish.movie_id in movies else len(movies)
    if wish.movie_id in movies:
        movies.remove(wish.movie_id)
    if isinstance(wish, PutMovie):
        movies.insert(at if wish.position is None else wish.position, wish.movie_id)


@for_all(st.lists(wishes, max_size=30))
def test_the_version_is_the_number_of_events(wanted):
    history = [created()]
    for wish in wanted:
        try:
            history += decide(wish, given(*history))
        except (Invalid, NotFound):
            continue
    assert given(*history).version == len(history)
