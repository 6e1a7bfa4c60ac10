"""Rules for creating, changing and deleting a playlist."""

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
    evolve_all,
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
    """The event as it is after decryption."""
    return PlaylistCreated(**ME, name=name, description=description, visibility=visibility)


def added(movie, rank):
    return PlaylistMovieAdded(**ME, movie_id=movie, rank=rank)


def moved(movie, rank):
    return PlaylistMovieMoved(**ME, movie_id=movie, rank=rank)


def given(*events):
    return reduce(evolve, events, PlaylistState())


def put(movie, position=None, **more):
    return PutMovie(**ME | more, movie_id=movie, position=position)


def three_movies():
    """Movies 1, 2, 3."""
    return given(created(), added(1, 0), added(2, FAR), added(3, 2 * FAR))


def test_playlist_is_created_with_its_properties():
    command = CreatePlaylist(
        **ME, name=words("Noir"), description=words("Dark"), visibility="public"
    )
    assert decide(command, given()) == (
        created(EncryptedField("sealed Noir"), EncryptedField("sealed Dark"), "public"),
    )


def test_playlist_is_private_by_default():
    assert decide(CreatePlaylist(**ME, name=words("Noir")), given()) == (
        created(EncryptedField("sealed Noir")),
    )


def test_playlist_is_created_with_its_movies_as_if_they_were_put_one_by_one():
    command = CreatePlaylist(**ME, name=words("Noir"), movies=(3, 1, 2))
    events = decide(command, given())
    assert events == (
        created(EncryptedField("sealed Noir")),
        added(3, 0),
        added(1, FAR),
        added(2, 2 * FAR),
    )
    state = given(events[0])
    for movie in command.movies:
        state = reduce(evolve, decide(put(movie), state), state)
    assert given(*events) == state


def test_playlist_is_not_created_with_too_many_movies():
    with pytest.raises(Invalid) as refusal:
        decide(CreatePlaylist(**ME, name=words("x"), movies=range(MOST_MOVIES + 1)), given())
    assert [error.field for error in refusal.value.errors] == ["movie_id"]
    assert decide(CreatePlaylist(**ME, name=words("x"), movies=range(MOST_MOVIES)), given())


def test_playlist_is_not_created_twice():
    with pytest.raises(Conflict):
        decide(CreatePlaylist(**ME, name=words("Noir")), given(created()))


def test_playlist_change_leads_to_an_event_per_property():
    command = ChangePlaylist(
        **ME, name=words("Night"), description=words("Dark"), visibility="public"
    )
    assert decide(command, given(created())) == (
        PlaylistRenamed(**ME, name=EncryptedField("sealed Night")),
        PlaylistDescribed(**ME, description=EncryptedField("sealed Dark")),
        PlaylistShown(**ME, visibility="public"),
    )


def test_playlist_change_to_the_same_text_leads_to_no_event():
    current = given(created(description="Dark"))
    command = ChangePlaylist(
        **ME, name=words("Noir"), description=words("Dark"), visibility="private"
    )
    assert decide(command, current) == ()
    assert decide(ChangePlaylist(**ME), current) == ()


def test_playlist_description_can_be_removed():
    command = ChangePlaylist(**ME, description=None)
    assert decide(command, given(created(description="Dark"))) == (
        PlaylistDescribed(**ME, description=None),
    )
    assert decide(command, given(created())) == ()


@pytest.mark.parametrize(
    ("unfit", "field"),
    [
        ({"name": words("")}, "name"),
        ({"name": words("x" * 101)}, "name"),
        ({"description": words("x" * 1001)}, "description"),
    ],
)
def test_playlist_refuses_texts_of_invalid_length(unfit, field):
    for command, current in (
        (CreatePlaylist(**ME | {"name": words("Noir")} | unfit), given()),
        (ChangePlaylist(**ME | unfit), given(created())),
    ):
        with pytest.raises(Invalid) as refusal:
            decide(command, current)
        assert [error.field for error in refusal.value.errors] == [field]


CHANGES = [
    ChangePlaylist(**ME, visibility="public"),
    DeletePlaylist(**ME),
    put(4),
    put(1, 2),
    RemoveMovie(**ME, movie_id=1),
]


@pytest.mark.parametrize("command", CHANGES, ids=lambda command: type(command).__name__)
def test_playlist_is_changed_only_by_its_owner_while_it_exists(command):
    deleted = given(created(), PlaylistDeleted(**ME))
    reasons = []
    for identity, current in (
        (command, given()),
        (command, deleted),
        (replace(command, user_id=BOB), three_movies()),
    ):
        with pytest.raises(NotFound) as refusal:
            decide(identity, current)
        reasons.append(refusal.value.detail)
    assert len(set(reasons)) == 1


@pytest.mark.parametrize("command", CHANGES, ids=lambda command: type(command).__name__)
def test_playlist_change_needs_a_required_version(command):
    assert three_movies().version == 4
    assert decide(replace(command, versions=frozenset({2, 4})), three_movies()) == decide(
        command, three_movies()
    )
    for versions in (frozenset({3}), frozenset({5}), frozenset()):
        with pytest.raises(PreconditionFailed):
            decide(replace(command, versions=versions), three_movies())


def test_playlist_deleted_keeps_only_its_version():
    current = given(created(), added(1, 0), PlaylistDeleted(**ME))
    assert current == PlaylistState(version=3)


def test_playlist_movie_is_added_last_by_default():
    assert decide(put(7), given(created())) == (added(7, 0),)
    assert decide(put(7), three_movies()) == (added(7, 3 * FAR),)


def test_playlist_movie_is_added_at_a_position():
    assert decide(put(7, 0), three_movies()) == (added(7, -FAR),)
    assert decide(put(7, 1), three_movies()) == (added(7, FAR // 2),)
    assert decide(put(7, 3), three_movies()) == (added(7, 3 * FAR),)


def test_playlist_movie_is_moved_to_a_position():
    assert decide(put(1, 2), three_movies()) == (moved(1, 3 * FAR),)
    assert decide(put(3, 0), three_movies()) == (moved(3, -FAR),)
    assert decide(put(1, 1), three_movies()) == (moved(1, FAR + FAR // 2),)


@pytest.mark.parametrize("position", [None, 1])
def test_playlist_movie_put_where_it_is_leads_to_no_event(position):
    assert decide(put(2, position), three_movies()) == ()


def test_playlist_moves_others_before_it_inserts():
    tight = given(created(), added(1, 0), added(2, 1), added(3, 2))
    events = decide(put(7, 1), tight)
    assert {type(event) for event in events[:-1]} == {PlaylistMovieMoved}
    assert isinstance(events[-1], PlaylistMovieAdded)
    assert reduce(evolve, events, tight).movies == [1, 7, 2, 3]


@pytest.mark.parametrize(("movie", "position"), [(7, -1), (7, 4), (1, 3)])
def test_playlist_refuses_a_position_outside(movie, position):
    with pytest.raises(Invalid) as refusal:
        decide(put(movie, position), three_movies())
    assert [error.field for error in refusal.value.errors] == ["position"]


def test_playlist_refuses_movies_when_full():
    ranks = {movie: movie * FAR for movie in range(MOST_MOVIES)}
    full = replace(given(created()), ranks=ranks)
    with pytest.raises(Invalid) as refusal:
        decide(put(MOST_MOVIES), full)
    assert [error.field for error in refusal.value.errors] == ["movie_id"]
    assert decide(put(0, MOST_MOVIES - 1), full) == (moved(0, MOST_MOVIES * FAR),)
    assert decide(RemoveMovie(**ME, movie_id=0), full)


def test_playlist_refuses_to_remove_a_movie_it_lacks():
    with pytest.raises(NotFound):
        decide(RemoveMovie(**ME, movie_id=7), three_movies())
    assert decide(RemoveMovie(**ME, movie_id=2), three_movies()) == (
        PlaylistMovieRemoved(**ME, movie_id=2),
    )


movies = st.integers(1, 8)
commands = st.one_of(
    st.builds(put, movies, st.none() | st.integers(0, 8)),
    st.builds(lambda movie: RemoveMovie(**ME, movie_id=movie), movies),
)


@for_all(st.lists(commands, max_size=80))
def test_playlist_moves_always_keep_all_movies(commands):
    """Equal to a list changed by hand; no single event reorders other movies."""
    state = given(created())
    by_hand: list[int] = []
    for command in commands:
        before = list(by_hand)
        try:
            events = decide(command, state)
        except (Invalid, NotFound):
            continue
        _do_by_hand(by_hand, command)
        for event in events:
            state = evolve(state, event)
            others = [movie for movie in state.movies if movie != command.movie_id]
            assert others == [movie for movie in before if movie != command.movie_id]
        assert state.movies == by_hand
        assert len(set(state.ranks.values())) == len(by_hand)
        if isinstance(command, PutMovie):
            assert decide(command, state) == ()


def _do_by_hand(movies, command):
    at = movies.index(command.movie_id) if command.movie_id in movies else len(movies)
    if command.movie_id in movies:
        movies.remove(command.movie_id)
    if isinstance(command, PutMovie):
        movies.insert(at if command.position is None else command.position, command.movie_id)


@for_all(st.lists(commands, max_size=30))
def test_playlist_version_is_the_number_of_events(commands):
    history = [created()]
    for command in commands:
        try:
            history += decide(command, given(*history))
        except (Invalid, NotFound):
            continue
    assert given(*history).version == len(history)


events = st.lists(
    st.sampled_from(
        [
            created("Noir", "Dark", "public"),
            PlaylistDeleted(**ME),
            PlaylistRenamed(**ME, name=EncryptedField("Night")),
            PlaylistDescribed(**ME, description=None),
            PlaylistShown(**ME, visibility="private"),
            PlaylistMovieRemoved(**ME, movie_id=1),
            added(1, 5),
            added(2, 7),
            moved(1, 9),
        ]
    ),
    max_size=12,
)


@for_all(events, events)
def test_playlist_events_lead_to_the_same_state_together_as_one_by_one(first, second):
    assert evolve_all(given(*first), second) == given(*first, *second)
    before = given(*first)
    evolve_all(before, second)
    assert before == given(*first)
