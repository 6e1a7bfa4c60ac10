"""Withdrawn movies: in no answer, and in all of them again after restoring."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from events.catalogue import (
    MovieAdded,
    MovieFavourited,
    MovieRestored,
    MovieWithdrawn,
    TrendObserved,
)
from projectors.read_models.search.builder import SearchBuilder
from projectors.read_models.search.read_model import Search
from tests.query_api.conftest import ALIEN, ANN, BOB, HEAT

ALIENS = 4
MOVIE_PATHS = (f"/v1/movies/{ALIEN}", f"/v1/movies/{ALIEN}/details", f"/v1/movies/{ALIEN}/similar")
LIST_PATHS = (
    "/v1/search?q=alien",
    "/v1/discover",
    "/v1/discover?genre=Horror",
    "/v1/suggestions?q=ali",
    "/v1/trending",
    "/v1/trending?limit=7",
    "/v1/trending?genre=Horror",
    "/v1/trending?source=tmdb",
    f"/v1/movies/{ALIENS}/similar",
    "/v1/me/ratings",
    "/v1/me/favourites",
    "/v1/me/recommendations",
    "/v1/me/recommendations?limit=7",
)


@pytest.fixture
def catch_up(world, in_files):
    """Build all derived data and the search index."""
    search = SearchBuilder(world.models[Search])

    def build():
        search.build(datetime.now(UTC))
        world.build()
        world.build()

    return build


@pytest.fixture
def liked(world, catch_up):
    """Alien is liked, favourited and on every board; Bob has not rated it."""
    aliens = MovieAdded(
        movie_id=ALIENS, title="Aliens", year=1986, genres=("Horror", "Science Fiction")
    )
    world.apply_event(aliens, ALIENS)
    for number in range(3):
        world.rate(UUID(int=0x100 + number), ALIEN, 9)
    world.rate(ANN, ALIEN, 8)
    world.apply_event(MovieFavourited(user_id=ANN, movie_id=ALIEN), ANN)
    world.rate(BOB, HEAT, 8)
    trend = TrendObserved(board="tmdb-day", source="tmdb", window="day", movies=(ALIEN, HEAT))
    world.apply_event(trend, "tmdb-day")
    catch_up()


def ids(client, path, headers):
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.content)
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("liked")
def test_withdrawn_movie_is_hidden_until_restored(client, world, catch_up, log_in):
    people = {"/v1/me/recommendations": log_in(BOB), "/v1/me/recommendations?limit=7": log_in(BOB)}
    ann = log_in(ANN)

    def of_many():
        return {path: ids(client, path, people.get(path, ann)) for path in LIST_PATHS}

    def of_it():
        return {path: client.get(path).status_code for path in MOVIE_PATHS}

    before, card = of_many(), client.get(MOVIE_PATHS[0]).json()
    assert [path for path, movie_ids in before.items() if ALIEN not in movie_ids] == []
    assert set(of_it().values()) == {200}

    world.apply_event(MovieWithdrawn(movie_id=ALIEN, reason="a double"), ALIEN)
    catch_up()
    assert [path for path, movie_ids in of_many().items() if ALIEN in movie_ids] == []
    assert set(of_it().values()) == {404}
    [horror] = [it for it in client.get("/v1/genres").json()["items"] if it["name"] == "Horror"]
    assert horror["count"] == 1

    world.apply_event(MovieRestored(movie_id=ALIEN), ALIEN)
    catch_up()
    assert [path for path, movie_ids in of_many().items() if ALIEN not in movie_ids] == []
    assert client.get(MOVIE_PATHS[0]).json() == card
    assert set(of_it().values()) == {200}
