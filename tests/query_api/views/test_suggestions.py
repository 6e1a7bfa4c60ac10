"""Suggestions: popularity, accents and typos."""

import pytest

from events.catalogue import MovieDescribed
from infra.config import config
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


@pytest.mark.usefixtures("world")
def test_suggestions_count_as_searches(client):
    answer = client.get("/v1/suggestions?q=alien")
    assert answer["RateLimit-Limit"] == str(config().throttle_search_per_minute)
    remaining = int(answer["RateLimit-Remaining"])
    assert int(client.get("/v1/suggestions?q=a")["RateLimit-Remaining"]) == remaining - 1


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "text",
    [
        "godftaherssi",
        "abcdefghijkl mnopqrstuvwxyz mnopqrstuvwxyz mnopq",
        "aaa",
        "alein",
        "xxxxxxxx",
    ],
)
def test_unknown_word_is_looked_up_in_one_more_round_trip(client, round_trips, text):
    client.get("/v1/suggestions", {"q": "alien"})
    round_trips.clear()
    client.get("/v1/suggestions", {"q": text})
    first, second = map(fields_read, round_trips)
    assert first <= 40 + 5
    assert second <= 32 * 40


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("text", ["alien", "a", "!!!", "xy", "x" * 13])
def test_known_and_uncorrectable_words_take_one_round_trip(client, round_trips, text):
    client.get("/v1/suggestions", {"q": "alien"})
    round_trips.clear()
    client.get("/v1/suggestions", {"q": text})
    assert len(round_trips) == 1


def test_suggestions_that_nobody_rated_are_sorted_by_prominence(client, world):
    described = MovieDescribed(movie_id=ALIEN, title="Alien", year=1979, prominence=90)
    world.apply_event(described, ALIEN)
    world.build()
    items = client.get("/v1/suggestions?q=a").json()["items"]
    assert items[0] == {"id": ALIEN, "title": "Alien", "year": 1979}


def fields_read(commands):
    """The number of fields that the HMGET of the lists reads."""
    before, _, _ = commands.partition(b"$5\r\nHMGET\r\n")
    return int(before.rpartition(b"*")[2]) - 2
