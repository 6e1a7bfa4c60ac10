"""My recommendations: items, genres and pages."""

import pytest

from events.catalogue import PreferencesChanged
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, walk


@pytest.fixture
def rated(world):
    """Bob likes two films; Ann one of them."""
    world.rate(BOB, HEAT, 9)
    world.rate(BOB, ALIEN, 9)
    world.build()
    world.rate(ANN, HEAT, 9)
    world.build()


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("rated")
def test_rated_movies_are_not_recommended(client, log_in):
    recommended = ids(client.get("/v1/me/recommendations", headers=log_in(ANN)))
    assert ALIEN in recommended
    assert HEAT not in recommended


@pytest.mark.usefixtures("rated")
def test_recommended_item_is_card_with_reasons(client, log_in):
    item = client.get("/v1/me/recommendations", headers=log_in(ANN)).json()["items"][0]
    score, reasons = item.pop("score"), item.pop("reasons")
    assert item == client.get(f"/v1/movies/{ALIEN}").json()
    assert score > 0
    assert reasons
    assert sum(reason["share"] for reason in reasons) <= 1.02
    assert {reason["because"] for reason in reasons} <= {
        "rated",
        "genre",
        "trending",
        "popular",
    }


@pytest.mark.usefixtures("rated")
def test_recommendations_by_genre(client, log_in):
    headers = log_in(ANN)
    assert ids(client.get("/v1/me/recommendations?genre=Horror", headers=headers)) == [ALIEN]
    assert ids(client.get("/v1/me/recommendations?genre=Drama", headers=headers)) == []


def test_preferences_alone_make_recommendations(client, world, rated, log_in):
    world.apply_event(PreferencesChanged(user_id=ANN, genres=("Romance",)), ANN)
    world.build()
    page = client.get("/v1/me/recommendations?genre=Romance", headers=log_in(ANN)).json()
    [item] = page["items"]
    assert item["id"] == AMELIE
    assert {"because": "genre", "genre": "Romance"} in [
        {name: value for name, value in reason.items() if name != "share"}
        for reason in item["reasons"]
    ]


@pytest.mark.usefixtures("rated")
def test_pages_of_recommendations_follow_each_other(client, log_in):
    headers = log_in(ANN)
    all_ids = ids(client.get("/v1/me/recommendations", headers=headers))
    assert walk(client, "/v1/me/recommendations", {"limit": 1}, headers=headers) == all_ids


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "sort=new", "genre="])
def test_recommendations_refuse_invalid_parameters(client, log_in, query):
    answer = client.get(f"/v1/me/recommendations?{query}", headers=log_in(ANN))
    assert answer.status_code == 422
