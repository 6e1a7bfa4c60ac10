"""Search and discovery: matches, pages and the index away."""

from datetime import UTC, datetime

import pytest
from elasticsearch import Elasticsearch

from events.catalogue import MovieAdded
from infra import clients
from projectors.read_models.search.builder import SearchBuilder
from projectors.read_models.search.read_model import Search
from query_api.views import search
from tests.fixtures.position_header import encode_positions
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, MOVIES, walk


@pytest.fixture
def indexed(world, elasticsearch_url):
    """The movies and two ratings, flushed into a real index."""
    world.rate(ANN, HEAT, 9)
    world.rate(BOB, ALIEN, 5)
    builder = SearchBuilder(world.models[Search])
    builder.build(datetime.now(UTC))
    return builder


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(
    ("typed", "movie"),
    [("alien", ALIEN), ("amelie", AMELIE), ("Amélie", AMELIE), ("aliem", ALIEN), ("pacino", HEAT)],
)
def test_search_finds_matches(client, typed, movie):
    assert ids(client.get("/v1/search", {"q": typed}))[0] == movie


def test_search_as_of_the_past(client, world, indexed, log_in):
    world.keep("then", Search)
    aliens = MovieAdded(movie_id=7, title="Aliens", year=1986, genres=("Horror",), cast=())
    world.apply_event(aliens, 7)
    indexed.build(datetime.now(UTC))
    indexed.build(datetime.now(UTC))
    as_of = log_in(ANN, is_staff=True) | {"As-Of": "then"}
    for path in ("/v1/search?q=aliens", "/v1/discover?genre=Horror"):
        assert 7 in ids(client.get(path))
        assert ids(client.get(path, headers=as_of)) == [ALIEN]


@pytest.mark.usefixtures("indexed")
def test_search_page_has_all_fields(client):
    page = client.get("/v1/search?q=amelie").json()
    card = client.get(f"/v1/movies/{AMELIE}").json()
    assert page == {
        "items": [{**card, "highlight": "<em>Amélie</em>"}],
        "next": None,
        "total": 1,
        "facets": {
            "genres": [{"name": "Comedy", "count": 1}, {"name": "Romance", "count": 1}],
            "decades": [{"name": "2000s", "count": 1}],
        },
    }


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(
    ("query", "movies"),
    [
        ("sort=year", [AMELIE, HEAT, ALIEN]),
        ("sort=score", [HEAT, ALIEN, AMELIE]),
        ("genre=Drama", [HEAT]),
        ("genre=Drama&genre=Crime", [HEAT]),
        ("genre=Drama&genre=Horror", []),
        ("year_from=1990&sort=year", [AMELIE, HEAT]),
        ("year_to=1990", [ALIEN]),
        ("min_score=6", [HEAT]),
        ("person=audrey+tautou", [AMELIE]),
    ],
)
def test_discover_filters_movies(client, query, movies):
    assert ids(client.get(f"/v1/discover?{query}")) == movies


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize("sort", ["relevance", "popularity", "score", "year"])
def test_search_pages_follow_each_other(client, sort):
    all_ids = ids(client.get(f"/v1/discover?sort={sort}"))
    paged = walk(client, "/v1/discover", {"sort": sort, "limit": 1})
    assert paged == all_ids
    assert sorted(paged) == sorted(MOVIES)


@pytest.mark.usefixtures("indexed")
def test_search_cursor_with_other_sort_values_is_refused(client, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(search, "_PURPOSE", "search")
        cursor = client.get("/v1/discover?sort=year&limit=1").json()["next"]
    answer = client.get(f"/v1/discover?sort=year&limit=1&cursor={cursor}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]


@pytest.mark.usefixtures("indexed")
def test_search_cursor_is_bound_to_its_query(client):
    cursor = client.get("/v1/discover?sort=year&limit=1").json()["next"]
    for query in ("sort=score", "sort=year&genre=Drama"):
        answer = client.get(f"/v1/discover?{query}&cursor={cursor}")
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]
    assert client.get(f"/v1/discover?sort=year&limit=5&cursor={cursor}").status_code == 200


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=+", "q"),
        ("q=" + "x" * 201, "q"),
        ("q=x&person=y&year_from=abc", "year_from"),
        ("q=x&year_from=1990&year_to=1980", "year_to"),
        ("q=x&min_score=11", "min_score"),
        ("q=x&sort=random", "sort"),
        ("q=x&from=20", "from"),
        ("q=x&cursor=x", "cursor"),
        ("q=a%00b", "q"),
    ],
    ids=lambda query: query[:30],
)
def test_search_refuses_invalid_parameters(client, query, field):
    answer = client.get(f"/v1/search?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_search_waits_for_a_position(client, world, indexed):
    headers = {"Log-Position": encode_positions([world.rate(BOB, HEAT, 9)]), "Prefer": "wait=0"}
    late = client.get("/v1/search?q=heat", headers=headers)
    assert late.status_code == 503
    indexed.build(datetime.now(UTC))
    answer = client.get("/v1/search?q=heat", headers=headers)
    assert answer.json()["items"][0]["community"]["count"] == 2


@pytest.mark.usefixtures("world")
def test_search_without_index_is_503(client, monkeypatch):
    """An address on which nothing listens."""
    with Elasticsearch("http://127.0.0.1:9", max_retries=0) as unreachable:
        monkeypatch.setattr(clients, "elasticsearch", lambda: unreachable)
        answer = client.get("/v1/search?q=alien")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
