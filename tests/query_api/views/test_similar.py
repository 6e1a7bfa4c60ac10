"""Similar movies: order, items and waiting."""

from uuid import UUID

import pytest

from events.catalogue import MovieAdded, MovieRated, RatingWithdrawn
from tests.fixtures.position_header import encode_positions
from tests.query_api.conftest import ALIEN, AMELIE, ANN, HEAT, UNKNOWN

RONIN = 4


@pytest.fixture
def liked(world):
    """Six people like Alien and Heat; nobody likes Ronin, a crime film like Heat."""
    added = MovieAdded(movie_id=RONIN, title="Ronin", year=1998, genres=("Crime", "Drama"))
    world.apply_event(added, RONIN)
    for number in range(6):
        for movie in (ALIEN, HEAT):
            world.rate(UUID(int=0x100 + number), movie, 9)
    world.build()


def items(answer):
    assert answer.status_code == 200, answer.content
    assert answer.json()["next"] is None
    return [(item["id"], item["similarity"]) for item in answer.json()["items"]]


@pytest.mark.usefixtures("liked")
def test_most_similar_movie_is_first(client):
    [alien, ronin] = items(client.get(f"/v1/movies/{HEAT}/similar"))
    assert alien == (ALIEN, {"score": round(6 / 36, 4), "support": 6, "confidence": "some"})
    assert ronin[0] == RONIN
    assert ronin[1]["confidence"] == "mostly content"
    assert 0 < ronin[1]["score"] < 0.2


@pytest.mark.usefixtures("liked")
def test_similar_item_is_card_with_similarity(client):
    [item, *_] = client.get(f"/v1/movies/{HEAT}/similar").json()["items"]
    del item["similarity"]
    assert item == client.get(f"/v1/movies/{ALIEN}").json()


@pytest.mark.usefixtures("liked")
def test_similar_movies_keep_the_limit(client):
    assert len(items(client.get(f"/v1/movies/{HEAT}/similar?limit=1"))) == 1


@pytest.mark.usefixtures("liked")
def test_unrated_movie_is_similar_by_genres(client):
    assert [movie for movie, _ in items(client.get(f"/v1/movies/{RONIN}/similar"))] == [HEAT]
    assert items(client.get(f"/v1/movies/{AMELIE}/similar")) == []


@pytest.mark.usefixtures("world")
def test_similar_of_unknown_movie_is_404(client):
    assert client.get(f"/v1/movies/{UNKNOWN}/similar").status_code == 404


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x", "x=1"])
def test_similar_refuses_invalid_parameters(client, query):
    assert client.get(f"/v1/movies/{HEAT}/similar?{query}").status_code == 422


def test_similar_waits_for_the_builder(client, world, liked):
    position = world.apply_event(MovieRated(user_id=ANN, movie_id=AMELIE, score=9), ANN)
    waiting = {"Log-Position": encode_positions([position]), "Prefer": "wait=0"}
    path = f"/v1/movies/{AMELIE}/similar"
    assert client.get(path, headers=waiting).status_code == 503
    world.apply_event(MovieRated(user_id=ANN, movie_id=HEAT, score=9), ANN)
    world.build()
    assert items(client.get(path, headers=waiting))[0][0] == HEAT
    world.apply_event(RatingWithdrawn(user_id=ANN, movie_id=HEAT, previous=9), ANN)
    world.build()
    assert items(client.get(path)) == []
