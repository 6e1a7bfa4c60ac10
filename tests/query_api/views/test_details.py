"""Details of a movie: content, and the cache of the index's part."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from events.catalogue import Credit, MovieDetailed, MovieLinked
from projectors.read_models.search.builder import SearchBuilder
from projectors.read_models.search.read_model import Search
from query_api.caching.read_through import EMPTY_SECONDS
from tests.fixtures.position_header import encode_positions
from tests.query_api.conftest import ALIEN, ANN, HEAT, UNKNOWN

PATH = f"/v1/movies/{ALIEN}/details"
DETAILED = MovieDetailed(
    movie_id=ALIEN,
    original_title="Alien",
    original_language="en",
    released_on=date(1979, 5, 25),
    runtime_minutes=117,
    crew=(Credit("Ridley Scott", "Director"),),
    keywords=("spaceship", "android"),
    titles={"fr": "Alien, le huitième passager"},
)
SHOWN = {
    "original_title": "Alien",
    "original_language": "en",
    "released_on": "1979-05-25",
    "runtime_minutes": 117,
    "crew": [{"name": "Ridley Scott", "job": "Director"}],
    "keywords": ["spaceship", "android"],
    "titles": {"fr": "Alien, le huitième passager"},
}
NOTHING: dict[str, Any] = {"crew": [], "keywords": [], "titles": {}}


@pytest.fixture
def loaded(monkeypatch):
    """Movies whose documents were requested."""
    movies = []
    load = Search.extended_details

    def record(self, movie):
        movies.append(movie)
        return load(self, movie)

    monkeypatch.setattr(Search, "extended_details", record)
    return movies


def beyond_the_card(client, path=PATH, **more):
    answer = client.get(path, **more)
    assert answer.status_code == 200, answer.content
    card = client.get(path.removesuffix("/details")).json()
    shown = answer.json()
    assert {name: shown.pop(name) for name in card} == card
    return shown


def test_details_have_all_fields(client, world, flush, loaded):
    world.apply_event(DETAILED, ALIEN)
    world.apply_event(MovieLinked(movie_id=ALIEN, source="imdb", external_id="tt0078748"), ALIEN)
    flush()
    assert [beyond_the_card(client) for _ in range(3)] == [SHOWN] * 3
    assert loaded == [ALIEN]


def test_details_show_the_current_card(client, world, flush, loaded):
    beyond_the_card(client)
    world.rate(ANN, ALIEN, 9)
    beyond_the_card(client)
    assert client.get(PATH).json()["community"]["count"] == 1
    assert loaded == [ALIEN]


def test_cached_details_are_invalid_only_when_the_movie_changes(client, world, flush, loaded):
    world.apply_event(DETAILED, ALIEN)
    flush()
    assert beyond_the_card(client) == SHOWN
    world.rate(ANN, HEAT, 9)
    flush()
    assert beyond_the_card(client) == SHOWN
    assert loaded == [ALIEN]
    world.apply_event(MovieDetailed(movie_id=ALIEN, keywords=("cat",)), ALIEN)
    flush()
    assert beyond_the_card(client) == NOTHING | {"keywords": ["cat"]}


def test_missing_details_are_cached_briefly(client, world, flush, loaded):
    assert [beyond_the_card(client) for _ in range(2)] == [NOTHING] * 2
    assert loaded == [ALIEN]
    [key] = world.redis.scan_iter("cache:*")
    assert 0 < world.redis.pttl(key) <= 1000 * EMPTY_SECONDS
    world.apply_event(DETAILED, ALIEN)
    flush()
    assert beyond_the_card(client) == SHOWN


def test_details_of_a_position_include_it(client, world, flush):
    assert beyond_the_card(client) == NOTHING
    headers = {
        "Log-Position": encode_positions([world.apply_event(DETAILED, ALIEN)]),
        "Prefer": "wait=0",
    }
    assert client.get(PATH, headers=headers).status_code == 503
    flush()
    assert beyond_the_card(client, headers=headers) == SHOWN


def test_movie_missing_in_the_index_has_card_only(client, world, in_files):
    """Before the index is built the answer is 503."""
    answer = client.get(PATH)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    builder = SearchBuilder(world.models[Search])
    builder.build(datetime.now(UTC))
    assert beyond_the_card(client) == NOTHING


def test_unknown_movie_asks_no_index(client, flush, loaded):
    for unknown in (UNKNOWN, 2**63, 10**30):
        assert client.get(f"/v1/movies/{unknown}/details").status_code == 404
    assert loaded == []


def test_details_take_no_parameters(client, world):
    assert client.get(f"{PATH}?limit=5").status_code == 422
