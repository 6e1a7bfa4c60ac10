"""Cards of movies, and genres."""

import json

import pytest

from events.catalogue import MovieDescribed, MovieLinked
from tests.query_api.conftest import ALIEN, ANN, BOB, HEAT, UNKNOWN

pytestmark = pytest.mark.usefixtures("world")


def test_card_has_all_fields(client, world):
    world.rate(ANN, ALIEN, 9)
    world.rate(BOB, ALIEN, 8)
    world.apply_event(MovieLinked(movie_id=ALIEN, source="imdb", external_id="tt0078748"), ALIEN)
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


def test_card_names_directors_and_keeps_prominence_to_itself(client, world):
    described = MovieDescribed(
        movie_id=ALIEN, title="Alien", year=1979, directors=("Ridley Scott",), prominence=90
    )
    world.apply_event(described, ALIEN)
    card = client.get(f"/v1/movies/{ALIEN}").json()
    assert card["directors"] == ["Ridley Scott"]
    assert "prominence" not in card


@pytest.mark.parametrize("movie", [UNKNOWN, 0, 10**30])
def test_unknown_movie_is_404(client, movie):
    answer = client.get(f"/v1/movies/{movie}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize("movie", ["alien", "-1", "1.0", "9" * 5000])
def test_malformed_movie_id_is_404(client, movie):
    answer = client.get(f"/v1/movies/{movie}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_votes_for_an_unknown_movie_count_once_it_is_added(client, world):
    world.rate(ANN, UNKNOWN, 9)
    assert client.get(f"/v1/movies/{UNKNOWN}").status_code == 404


def test_card_takes_no_parameters(client):
    answer = client.get(f"/v1/movies/{HEAT}?limit=5&x=1")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["limit", "x"]


def test_genres_have_counts(client):
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
def test_writing_methods_are_405(client, path, method):
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
