"""Cached search pages: hits, invalidation and the index away."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.test import Client

from events.catalogue import MovieAdded, MovieDescribed, MovieLinked
from projectors.generations.pointers import Pointers
from projectors.read_models.search.builder import SearchBuilder, mark_all
from projectors.read_models.search.engine import IndexUnavailable
from projectors.read_models.search.read_model import Search
from query_api.caching import single_flight
from query_api.http import request
from tests.fixtures import model_access
from tests.fixtures.position_header import encode_positions
from tests.query_api.conftest import ALIEN, ANN, BOB, GENERATION, HEAT

MANY = 50
PATHS = ["/v1/search?q=alien", "/v1/discover?genre=Horror"]


@pytest.fixture
def index_queries(flush, monkeypatch):
    """Queries that reached the search index."""
    queries = []
    search = Search.search

    def record(self, query):
        queries.append(query)
        return search(self, query)

    monkeypatch.setattr(Search, "search", record)
    return queries


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.parametrize("path", PATHS)
def test_second_search_is_a_cache_hit(client, index_queries, path):
    first, second = client.get(path), client.get(path)
    assert (second.content, second["ETag"]) == (first.content, first["ETag"])
    assert len(index_queries) == 1
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert len(index_queries) == 1


def test_concurrent_searches_query_the_index_once(index_queries, monkeypatch):
    monkeypatch.setattr(single_flight, "LEASE_SECONDS", 60.0)  # this machine may be slow
    monkeypatch.setattr(single_flight, "PATIENCE_SECONDS", 60.0)
    together = Barrier(MANY)

    def ask(_):
        together.wait(60)
        return Client().get(PATHS[0])

    with ThreadPoolExecutor(MANY) as threads:
        answers = list(threads.map(ask, range(MANY)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(index_queries) == 1


def test_other_queries_have_other_entries(client, index_queries):
    for more in ("", "&limit=1", "&sort=year", "&genre=Horror", "&year_from=1979"):
        assert ids(client.get(f"/v1/search?q=alien{more}")) == [ALIEN]
    assert len(index_queries) == 5


@pytest.mark.parametrize("path", PATHS)
def test_cached_page_is_invalid_when_a_movie_changes(client, world, flush, index_queries, path):
    assert ids(client.get(path)) == [ALIEN]
    world.apply_event(MovieAdded(movie_id=7, title="Aliens", year=1986, genres=("Horror",)), 7)
    flush()
    assert sorted(ids(client.get(path))) == [ALIEN, 7]
    world.apply_event(MovieDescribed(movie_id=7, title="Alone", year=1986, genres=("Drama",)), 7)
    flush()
    assert ids(client.get("/v1/discover?genre=Horror")) == [ALIEN]


def test_cached_page_stays_without_changes(client, flush, index_queries):
    client.get(PATHS[0])
    flush()
    client.get(PATHS[0])
    assert len(index_queries) == 1


def test_cached_page_shows_current_cards(client, world, index_queries):
    """Cards are current, although the index is not."""
    client.get(PATHS[0])
    world.rate(ANN, ALIEN, 9)
    world.apply_event(MovieLinked(movie_id=ALIEN, source="imdb", external_id="tt0078748"), ALIEN)
    [card] = client.get(PATHS[0]).json()["items"]
    assert card["community"]["count"] == 1
    assert card["external_ids"] == {"imdb": "tt0078748"}
    assert len(index_queries) == 1


def test_search_of_a_position_gets_no_older_entry(client, world, flush):
    path = "/v1/discover?sort=score&min_score=1"
    assert ids(client.get(path)) == []
    headers = {"Log-Position": encode_positions([world.rate(ANN, HEAT, 9)]), "Prefer": "wait=0"}
    assert client.get(path, headers=headers).status_code == 503
    flush()
    assert ids(client.get(path, headers=headers)) == [HEAT]
    position = world.rate(BOB, ALIEN, 10)
    flush()
    assert ids(client.get(path, headers={"Log-Position": encode_positions([position])})) == [
        ALIEN,
        HEAT,
    ]


def test_generations_have_entries_of_their_own(client, world, flush):
    assert ids(client.get(PATHS[0])) == [ALIEN]
    other = Search(world.redis, GENERATION + 1)
    for recorded in world.log:
        model_access.apply(other, [recorded])
    aliens = world.record(MovieAdded(movie_id=7, title="Aliens", year=1986, genres=()), 7)
    model_access.apply(other, [aliens])
    SearchBuilder(other).build(datetime.now(UTC))
    for number, expected in ((GENERATION + 1, 2), (GENERATION, 1)):
        Pointers(world.redis).switch({Search.name: number})
        request.live().forget()
        assert client.get(PATHS[0]).json()["total"] == expected


def test_as_of_search_bypasses_the_cache(client, world, flush, index_queries, log_in):
    world.keep("then", Search)
    as_of = log_in(ANN, is_staff=True) | {"As-Of": "then"}
    before = len(index_queries)
    for _ in range(2):
        assert ids(client.get(PATHS[0], headers=as_of)) == [ALIEN]
    assert len(index_queries) == before + 2
    assert list(world.redis.scan_iter("cache:*")) == []


def test_failed_search_is_not_cached(client, flush, monkeypatch):
    def fail(*_):
        raise IndexUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(Search, "search", fail)
        answer = client.get(PATHS[0])
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert ids(client.get(PATHS[0])) == [ALIEN]


def test_cached_page_is_shown_while_the_index_is_away(client, flush, monkeypatch):
    def fail(*_):
        raise IndexUnavailable("away")

    assert ids(client.get(PATHS[0])) == [ALIEN]
    monkeypatch.setattr(Search, "search", fail)
    assert ids(client.get(PATHS[0])) == [ALIEN]


def test_search_of_index_being_filled_is_503_and_not_cached(client, world, flush):
    mark_all(world.models[Search])
    answer = client.get(PATHS[0])
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert list(world.redis.scan_iter("cache:*")) == []
    flush()
    assert ids(client.get(PATHS[0])) == [ALIEN]
