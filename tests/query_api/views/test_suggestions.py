"""Suggestions: popularity, accents and typos."""

import pytest

from tests.query_api.conftest import ALIEN, AMELIE, BOB, HEAT


def ids(answer):
    assert answer.status_code == 200, answer.content
    assert answer.json()["next"] is None
    return [item["id"] for item in answer.json()["items"]]


def test_suggestions_are_sorted_by_popularity(client, world):
    world.rate(BOB, ALIEN, 2)
    world.build()
    assert ids(client.get("/v1/suggestions?q=a")) == [ALIEN, AMELIE]
    world.rate(BOB, AMELIE, 2)
    world.build()
    assert ids(client.get("/v1/suggestions?q=A")) == [AMELIE, ALIEN]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("text", "expected"),
    [("amel", [AMELIE]), ("Amé", [AMELIE]), ("aleinx", []), ("alein", [ALIEN]), ("haet", [HEAT])],
)
def test_suggestions_forgive_accents_and_typos(client, text, expected):
    assert ids(client.get("/v1/suggestions", {"q": text})) == expected


@pytest.mark.usefixtures("world")
def test_suggestion_has_id_title_and_year(client):
    [item] = client.get("/v1/suggestions?q=heat").json()["items"]
    assert item == {"id": HEAT, "title": "Heat", "year": 1995}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("text", ["!!!", "ß" * 100, "  a", "\N{GRINNING FACE}"])
def test_suggestions_of_unusual_texts(client, text):
    assert client.get("/v1/suggestions", {"q": text}).status_code == 200


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("query", ["", "q=", "q=a&limit=5", "q=a&q=b", "q=" + "a" * 101])
def test_suggestions_refuse_invalid_parameters(client, query):
    assert client.get(f"/v1/suggestions?{query}").status_code == 422
