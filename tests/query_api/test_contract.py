"""OpenAPI contract and documentation pages of the query API."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client
from drf_yasg.generators import OpenAPISchemaGenerator

from infra.http.permissions import needs_token
from query_api import urls

ROUTES = {
    "/v1/movies/{movie_id}": "movie",
    "/v1/trending": "trending",
    "/v1/search": "search",
    "/v1/discover": "discover",
    "/v1/genres": "genres",
    "/v1/movies/{movie_id}/details": "details",
    "/v1/movies/{movie_id}/similar": "similar",
    "/v1/suggestions": "suggestions",
    "/v1/playlists": "playlists",
    "/v1/playlists/{playlist_id}": "playlist",
    "/v1/me": "me",
    "/v1/me/ratings": "my_ratings",
    "/v1/me/favourites": "my_favourites",
    "/v1/me/hidden": "my_hidden",
    "/v1/me/playlists": "my_playlists",
    "/v1/me/recommendations": "my_recommendations",
}


@pytest.fixture
def contract(client):
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    return json.loads(answer.content)


def operations(document, base=""):
    return {
        base + path: {
            method: operation["operationId"]
            for method, operation in methods.items()
            if method != "parameters"
        }
        for path, methods in document["paths"].items()
    }


def test_contract_can_be_fetched_concurrently():
    """drf-spectacular fails when it generates two contracts at once."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: Client().get("/openapi.json"), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_contract_lists_every_route(contract):
    assert contract["openapi"] == "3.0.3"
    assert operations(contract) == {path: {"get": name} for path, name in ROUTES.items()}


def test_pages_list_the_same_operations(client, contract):
    swagger = json.loads(client.get("/docs/?format=openapi").content)
    assert operations(swagger, swagger["basePath"].rstrip("/")) == operations(contract)


@pytest.mark.parametrize("path", ["/docs/", "/redoc/"])
def test_swagger_document_is_generated_once(client, monkeypatch, path):
    """Anybody may request it, as often as they like."""
    first = client.get(f"{path}?format=openapi")

    def generate_again(*_args, **_more):
        raise AssertionError

    monkeypatch.setattr(OpenAPISchemaGenerator, "get_schema", generate_again)
    second = client.get(f"{path}?format=openapi", headers={"Host": "movies.example.org"})
    assert (second.status_code, second.content) == (200, first.content)
    assert "host" not in json.loads(second.content)


@pytest.mark.parametrize("path", ["/docs/", "/redoc/"])
@pytest.mark.parametrize("form", ["json", "yaml", "nothing"])
def test_other_formats_of_the_pages_are_404(client, path, form):
    answer = client.get(f"{path}?format={form}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_contract_has_problems_and_parameters(contract):
    for methods in contract["paths"].values():
        got = methods["get"]
        assert {"200", "401", "403", "404", "422", "429", "503"} <= set(got["responses"])
        assert "application/problem+json" in got["responses"]["422"]["content"]
        names = {parameter["name"] for parameter in got["parameters"]}
        assert {"Log-Position", "Prefer", "As-Of"} <= names


def test_views_that_need_a_token_declare_it_and_are_not_cached_for_others(contract):
    for pattern in urls.queries:
        path = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        view: Any = getattr(pattern.callback, "view_class")  # noqa: B009 - Django sets it
        security = contract["paths"][f"/{path}"]["get"].get("security", [])
        if needs_token(view.permission_classes):
            assert security == [{"bearer": []}], f"{view.__name__}: needs_token=True is missing"
            assert view.cache_policy == "never", f"{view.__name__}: cache_policy is not 'never'"
        else:
            assert security == [], f"{view.__name__}: needs_token=True, but Anybody may call it"


@pytest.mark.parametrize("path", ["/docs/", "/redoc/"])
def test_pages_load_from_this_site_only(path):
    client = Client()
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 200
    text = page.content.decode()
    assert "https://" not in text.replace("https://github.com", "")
    scripts = [word.split('"')[0] for word in text.split('src="')[1:]]
    assert scripts
    for script in scripts:
        loaded = client.get(script)
        assert loaded.status_code == 200
        assert b"".join(loaded)
        loaded.close()


def test_liveness(client, world):
    assert client.get("/health/live").json() == {"status": "ok", "needs": {}}


def test_contract_has_log_age_and_log_parked(contract):
    for methods in contract["paths"].values():
        headers = methods["get"]["responses"]["200"]["headers"]
        assert {"Log-Age", "Log-Parked"} <= set(headers)
