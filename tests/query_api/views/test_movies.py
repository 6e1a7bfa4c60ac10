"""Is a movie shown as it is known?"""

import json

import pytest

from events.catalogue import MovieLinked
from tests.query_api.conftest import ALIEN, ANN, BOB, HEAT, UNKNOWN

pytestmark = pytest.mark.usefixtures("world")


def test_a_card(client, world):
    world.rate(ANN, ALIEN, 9)
    world.rate(BOB, ALIEN, 8)
    world.happen(MovieLinked(movie_id=ALIEN, source="imdb", external_id="tt0078748"), ALIEN)
    answer = client.get(f"/v1/movies/{ALIEN}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "id": ALIEN,
        "title": "Alien",
        "year": 1979,
        "genres": ["Horror", "Science Fiction"],
        "cast": ["Sigourney Weaver", "Tom Skerritt"],
        "external_ids": {"imdb": "tt0078748"},
        "community": {
            "average": 8.5,
            "count": 2,
            "histogram": [0, 0, 0, 0, 0, 0, 0, 1, 1, 0],
        },
    }


@pytest.mark.parametrize("movie", [UNKNOWN, 0, 10**30])
def test_an_unknown_movie(client, movie):
    answer = client.get(f"/v1/movies/{movie}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize("movie", ["alien", "-1", "1.0", "9" * 5000])
def test_what_is_no_id(client, movie):
    answer = client.get(f"/v1/movies/{movie}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_votes_for_an_unknown_movie_wait(client, world):
    world.rate(ANN, UNKNOWN, 9)
    assert client.get(f"/v1/movies/{UNKNOWN}").status_code == 404


def test_parameters_are_refused(client):
    answer = client.get(f"/v1/movies/{HEAT}?limit=5&x=1")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["limit", "x"]


def test_genres(client):
    answer = client.get("/v1/genres")
    assert answer.json() == {
        "items": [
            {"name": name, "count": 1}
            for name in ("Comedy", "Crime", "Drama", "Horror", "Romance", "Science Fiction")
        ],
        "next": None,
    }
    assert answer["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("path", ["/v1/movies/1", "/v1/genres"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(client, path, method):
    answer = getattr(client, method)(path)
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_head_is_get_without_a_body(client):
    got, head = client.get("/v1/movies/1"), client.head("/v1/movies/1")
    assert head.status_code == 200
    assert head.content == b""
    assert head["ETag"] == got["ETag"]
    assert json.loads(got.content)["title"] == "Alien"
