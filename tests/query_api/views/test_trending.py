"""Trending boards: windows, genres, sources and pages."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from events.catalogue import TrendObserved
from infra.security.signing import seal
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, walk

CAROL = UUID(int=0xC)


@pytest.fixture
def activity(world):
    """Heat is hotter than Alien; Amélie was hot days ago."""
    for user, movie in ((ANN, HEAT), (BOB, HEAT), (ANN, ALIEN)):
        world.rate(user, movie, 8)
    for user in (ANN, BOB, CAROL):
        world.rate(user, AMELIE, 8, ago=timedelta(days=3))
    world.build()


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("activity")
def test_windows_have_boards_of_their_own(client):
    assert ids(client.get("/v1/trending")) == [HEAT, ALIEN]
    assert ids(client.get("/v1/trending?window=day")) == [HEAT, ALIEN]
    assert set(ids(client.get("/v1/trending?window=week"))) == {HEAT, ALIEN, AMELIE}


@pytest.mark.usefixtures("activity")
def test_trending_item_is_card_with_heat(client):
    [item, _] = client.get("/v1/trending").json()["items"]
    card = client.get(f"/v1/movies/{HEAT}").json()
    assert item.pop("heat") > 0
    assert item == card


@pytest.mark.usefixtures("activity")
def test_trending_by_genre(client):
    assert ids(client.get("/v1/trending?genre=Horror")) == [ALIEN]
    assert ids(client.get("/v1/trending?genre=Horror&limit=5")) == [ALIEN]
    assert ids(client.get("/v1/trending?genre=Romance")) == []


@pytest.mark.usefixtures("activity")
def test_pages_of_a_board_follow_each_other(client):
    paged = walk(client, "/v1/trending", {"window": "week", "limit": 1})
    assert paged == ids(client.get("/v1/trending?window=week"))
    assert len(paged) == 3


@pytest.mark.usefixtures("activity")
def test_prepared_page_equals_a_rendered_one(client):
    ready = client.get("/v1/trending").json()
    rendered = client.get("/v1/trending?limit=21").json()
    assert ready == rendered


def test_board_is_empty_before_any_event(client, world):
    page = client.get("/v1/trending").json()
    assert (page["items"], page["next"]) == ([], None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("window=month", "window"),
        ("source=imdb", "source"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("page=2", "page"),
        ("cursor=x", "cursor"),
        ("genre=" + "x" * 61, "genre"),
    ],
)
def test_trending_refuses_invalid_parameters(client, world, query, field):
    answer = client.get(f"/v1/trending?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.usefixtures("activity")
def test_cursor_of_a_board_is_bound_to_it(client):
    cursor = client.get("/v1/trending?window=week&limit=1").json()["next"]
    for query in ("window=day", "window=week&genre=Drama"):
        answer = client.get(f"/v1/trending?{query}&limit=1&cursor={cursor}")
        assert answer.status_code == 422
    forged = seal("ratings", b"x")
    assert client.get(f"/v1/trending?cursor={forged}").status_code == 422


def observe(world, *movies, ago=timedelta(0)):
    event = TrendObserved(board="tmdb-day", source="tmdb", window="day", movies=movies)
    world.apply_event(event, "tmdb-day", ago=ago)
    world.build()


@pytest.mark.usefixtures("activity")
def test_external_board_is_separate(client, world):
    observe(world, AMELIE, ALIEN, ago=timedelta(hours=2))
    answer = client.get("/v1/trending?source=tmdb")
    assert ids(answer) == [AMELIE, ALIEN]
    assert ids(client.get("/v1/trending")) == [HEAT, ALIEN]
    assert ids(client.get("/v1/trending?source=tmdb&genre=Horror")) == [ALIEN]
    age = datetime.now(UTC) - datetime.fromisoformat(answer.json()["as_of"])
    assert timedelta(hours=2) <= age < timedelta(hours=3)
    assert ids(client.get("/v1/trending?source=tmdb&window=week")) == []


@pytest.mark.usefixtures("activity")
def test_pages_of_external_board_follow_each_other(client, world):
    observe(world, AMELIE, ALIEN, HEAT)
    paged = walk(client, "/v1/trending", {"source": "tmdb", "limit": 1})
    assert paged == [AMELIE, ALIEN, HEAT]
    cursor = client.get("/v1/trending?source=tmdb&limit=1").json()["next"]
    assert client.get("/v1/trending", {"limit": 1, "cursor": cursor}).status_code == 422
