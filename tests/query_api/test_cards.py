"""Cards on pages: waiting, age, data loss and round trips, whichever model they come from."""

from uuid import UUID

import pytest

from events.catalogue import (
    MovieAdded,
    MovieFavourited,
    MovieHidden,
    MovieRated,
    PlaylistCreated,
    PlaylistMovieAdded,
    PlaylistShown,
)
from events.catalogue.accounts import EncryptedField
from events.playlist_ids import playlist_id
from infra.config import config
from infra.redis_pipeline import ReadPipeline
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.playlists.read_model import Playlists
from projectors.read_models.trending.read_model import Trending
from query_api.http import request
from tests.fixtures import model_access
from tests.query_api.conftest import ALIEN, ANN, BOB, HEAT, waiting

CAROL = UUID(int=0xC)
RONIN = 4
NIGHT, EMPTY = (playlist_id(str(ANN), config().partitions, bytes([n] * 10)) for n in (1, 2))

PAGES_WITHOUT_MOVIES_CHECKPOINT = [
    "/v1/search?q=alien",
    "/v1/discover?genre=Horror",
    f"/v1/movies/{HEAT}/similar",
    "/v1/me/ratings",
    "/v1/me/favourites",
    "/v1/me/hidden",
    f"/v1/playlists/{NIGHT}",
    "/v1/me/recommendations?limit=5",
]
"""Pages of models whose checkpoint does not cover movies; Alien is on each."""
RECOMMENDED = "/v1/me/recommendations"
TRENDING = ["/v1/trending", "/v1/trending?limit=5"]
FOR_BOB = {"/v1/me/recommendations?limit=5", RECOMMENDED}
IN_TWO_TRIPS = [
    *PAGES_WITHOUT_MOVIES_CHECKPOINT,
    f"/v1/movies/{RONIN}/similar",
    "/v1/trending?limit=5",
    "/v1/genres",
    "/v1/me/playlists",
    "/v1/playlists",
    f"/v1/playlists/{EMPTY}",
]


@pytest.fixture
def pages(world, flush):
    """Alien is on every page: of Ann, who has rated and listed it, and of Bob, who has not."""
    world.apply_event(
        MovieAdded(movie_id=RONIN, title="Ronin", year=1998, genres=("Crime",)), RONIN
    )
    for number in range(6):
        for movie in (ALIEN, HEAT):
            world.rate(UUID(int=0x100 + number), movie, 9)
    world.rate(ANN, ALIEN, 9)
    world.rate(BOB, HEAT, 9)
    world.apply_event(MovieFavourited(user_id=ANN, movie_id=ALIEN), ANN)
    world.apply_event(MovieHidden(user_id=ANN, movie_id=ALIEN), ANN)
    for id_ in (NIGHT, EMPTY):
        world.apply_event(
            PlaylistCreated(playlist_id=id_, user_id=ANN, name=EncryptedField("Night")), ANN
        )
        world.apply_event(PlaylistShown(playlist_id=id_, user_id=ANN, visibility="public"), ANN)
    added = PlaylistMovieAdded(playlist_id=NIGHT, user_id=ANN, movie_id=ALIEN, rank=1)
    world.apply_event(added, ANN)

    def build():
        world.build()
        world.build()
        flush()

    build()
    return build


@pytest.fixture
def ask(client, log_in, pages):
    """Request a page as a user whose page has Alien."""

    def ask(path, headers=()):
        return client.get(
            path, headers={**log_in(BOB if path in FOR_BOB else ANN), **dict(headers)}
        )

    return ask


@pytest.fixture
def rated(world):
    """Carol rates Alien, and no model has applied it yet."""
    return world.record(MovieRated(user_id=CAROL, movie_id=ALIEN, score=9), CAROL)


def apply_to_models(world, recorded, *, excluding):
    for kind, model in world.models.items():
        if kind is not excluding:
            model_access.apply(model, [recorded])


def votes(answer):
    """Number of Alien's ratings on a page."""
    assert answer.status_code == 200, answer.content
    [alien] = [item for item in answer.json()["items"] if item["id"] == ALIEN]
    return alien["community"]["count"]


@pytest.mark.parametrize("path", [*PAGES_WITHOUT_MOVIES_CHECKPOINT, RECOMMENDED])
def test_page_waits_for_its_cards(world, pages, ask, rated, path):
    apply_to_models(world, rated, excluding=Movies)
    pages()
    late = ask(path, waiting(rated.position))
    assert late.status_code == 503
    assert [error["reason"] for error in late.json()["errors"]] == ["movies is 1 events behind"]
    assert votes(ask(path)) == 7
    model_access.apply(world.models[Movies], [rated])
    assert votes(ask(path, waiting(rated.position))) == 8


@pytest.mark.parametrize("path", [*PAGES_WITHOUT_MOVIES_CHECKPOINT, RECOMMENDED, *TRENDING])
def test_parked_event_of_cards_is_named_in_log_parked(world, pages, ask, rated, path):
    world.park(Movies, rated)
    apply_to_models(world, rated, excluding=Movies)
    pages()
    page = ask(path, waiting(rated.position))
    assert (votes(page), page["Log-Parked"]) == (7, "movies")
    assert "Log-Parked" not in ask(path)


@pytest.mark.parametrize("path", TRENDING)
def test_board_is_answered_as_soon_as_it_is_built(world, pages, ask, rated, path):
    """The page waits for the movies; as a source they no longer hold it up."""
    apply_to_models(world, rated, excluding=None)
    late = ask(path, waiting(rated.position))
    assert late.status_code == 503
    [error] = late.json()["errors"]
    assert error["reason"].startswith(Trending.name)
    pages()
    assert votes(ask(path, waiting(rated.position))) == 8


@pytest.mark.parametrize("path", [*PAGES_WITHOUT_MOVIES_CHECKPOINT, RECOMMENDED, *TRENDING])
def test_page_is_as_old_as_its_cards(world, ask, path):
    """Levels are read again after a quarter of a second."""
    world.live.mark_level([Movies.name], 1.0)
    request.live().forget()
    assert int(ask(path)["Log-Age"]) > 10**9


def lose_after(monkeypatch, redis, trips=1):
    """Redis loses all data after the given number of trips."""
    execute, trips_left = ReadPipeline.execute, [trips]

    def losing(pipe, connected):
        answers = execute(pipe, connected)
        trips_left[0] -= 1
        if trips_left[0] == 0:
            redis.flushall()
        return answers

    monkeypatch.setattr(ReadPipeline, "execute", losing)


@pytest.mark.parametrize("path", IN_TWO_TRIPS)
def test_data_lost_between_round_trips_is_503(redis, ask, monkeypatch, path):
    before = ask(path)
    assert before.status_code == 200, before.content
    lose_after(monkeypatch, redis)
    answer = ask(path)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer.json()["detail"].endswith("is being built. Try again in a moment.")


@pytest.mark.parametrize("path", ["/v1/trending?limit=5", "/v1/genres", "/v1/playlists"])
def test_past_lost_between_round_trips_is_503(
    world, redis, client, log_in, pages, monkeypatch, path
):
    world.keep("then", Trending, Movies, Library, Playlists)
    as_of = log_in(ANN, is_staff=True) | {"As-Of": "then"}
    assert client.get(path, headers=as_of).status_code == 200
    lose_after(monkeypatch, redis, trips=2)  # the first one checks the caller
    assert client.get(path, headers=as_of).status_code == 503


@pytest.mark.parametrize(
    ("path", "trips"),
    [
        ("/v1/search?q=alien", [8, 2]),
        (f"/v1/movies/{HEAT}/similar", [7, 4]),  # the movie's own card, too: it may be withdrawn
        ("/v1/me/ratings", [6, 2]),
        ("/v1/me/hidden", [6, 2]),
        ("/v1/trending", [6]),
    ],
)
def test_page_takes_two_round_trips_at_most(ask, monkeypatch, path, trips):
    """And one command more: the pointers are read again in the second trip."""
    ask(path)
    counted, execute = [], ReadPipeline.execute

    def counting(pipe, connected):
        counted.append(len(pipe))
        return execute(pipe, connected)

    monkeypatch.setattr(ReadPipeline, "execute", counting)
    assert ask(path).status_code == 200
    assert counted == trips
