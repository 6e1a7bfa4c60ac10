"""Operations of the command API: CORS, health, metrics, OpenAPI."""

import pytest
from prometheus_client import generate_latest

from infra.celery import app
from infra.config import config
from tests.command_api.conftest import ALIEN

pytestmark = pytest.mark.usefixtures("api")
SITE = "https://movies.example.org"


@pytest.fixture
def site(monkeypatch):
    """Origin of the site, which may call the API."""
    monkeypatch.setenv("MARQUEE_SITE_ORIGIN", SITE)
    config.cache_clear()
    yield
    monkeypatch.undo()
    config.cache_clear()


def allowed(answer):
    return answer.headers.get("Access-Control-Allow-Origin")


def test_cors_allows_only_the_site(api, site):
    preflight = {"Access_Control_Request_Method": "PUT"}
    answer = api("OPTIONS", "/v1/me/preferences", Origin=SITE, **preflight)
    assert (answer.status_code, allowed(answer)) == (204, SITE)
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
    assert allowed(api("PUT", "/v1/me/preferences", {}, Origin=SITE)) == SITE
    other = api("OPTIONS", "/v1/me/preferences", Origin="https://evil.example.org", **preflight)
    assert allowed(other) is None
    assert other.headers["Vary"] == "Origin"


def test_cors_exposes_all_answer_headers(api, ann, site):
    """Except headers that browsers expose anyway."""
    api.rate(ALIEN, 8, by=ann, Idempotency_Key="k")
    answer = api.rate(ALIEN, 8, by=ann, Idempotency_Key="k", Origin=SITE)
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    shown = {"Cache-Control", "Content-Length", "Content-Type", "Vary"}
    other_headers = {name for name in answer.headers if not name.startswith("Access-Control-")}
    assert "Idempotency-Replayed" in other_headers
    assert other_headers - shown <= exposed


def test_cors_allows_nothing_without_a_configured_site(api):
    assert allowed(api("PUT", "/v1/me/preferences", {}, Origin=SITE)) is None
    assert allowed(api("PUT", "/v1/me/preferences", {}, Origin="")) is None


def test_readiness_shows_each_dependency(api):
    assert api("GET", "/health/live").json()["status"] == "ok"
    ready = api("GET", "/health/ready")
    assert ready.json()["needs"] == {"log": "ok", "vault": "ok", "redis": "ok"}


@pytest.mark.parametrize("path", ["health/live", "health/ready", ".well-known/jwks.json"])
def test_read_only_urls_refuse_other_methods(api, path):
    answer = api("DELETE", f"/{path}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_commands_are_counted_in_metrics(api):
    api("PUT", "/v1/me/preferences", {})
    assert 'view="PreferencesView"' in generate_latest().decode()


def test_metrics_do_not_grow_with_what_clients_send(api):
    def send(number):
        api(f"METHOD{number}", "/v1/me/preferences")
        api("PUT", f"/v1/nothing-{number}", {})
        api("PUT", "/v1/me/preferences", {}, Idempotency_Key=str(number), Host=f"h{number}.example")
        api("POST", "/v1/tokens", {"login": f"user-{number}", f"field-{number}": 1})

    send(0)
    before = generate_latest().count(b"\n")
    for number in range(1, 10):
        send(number)
    assert generate_latest().count(b"\n") == before


def test_metrics_are_not_served_to_clients(api):
    assert api("GET", "/metrics").status_code == 404


def test_scheduled_tasks_exist(api):
    app.loader.import_default_modules()
    planned = {entry["task"] for entry in app.conf.beat_schedule.values()}
    tasks = {name for name in app.tasks if not name.startswith("celery.")}
    assert planned == tasks - {"catalogue.sync"}  # needs a TMDb key
    for name in planned:
        assert app.tasks[name]() == 0


def test_openapi_and_swagger_list_every_command(api):
    contract = api("GET", "/openapi.json").json()
    assert contract["openapi"].startswith("3.0")
    described = {
        (method.upper(), path): operation["operationId"]
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
    }
    assert described == {
        ("POST", "/v1/accounts"): "register",
        ("POST", "/v1/accounts/verify-email"): "verify_email",
        ("POST", "/v1/passwords/forgot"): "forgot_password",
        ("POST", "/v1/passwords/reset"): "reset_password",
        ("POST", "/v1/tokens"): "log_in",
        ("POST", "/v1/tokens/refresh"): "refresh",
        ("POST", "/v1/tokens/revoke"): "log_out",
        ("POST", "/v1/tokens/revoke-all"): "log_out_everywhere",
        ("DELETE", "/v1/me"): "erase_me",
        ("GET", "/v1/me/export"): "export_me",
        ("GET", "/v1/erasures/{token}"): "erasure",
        ("PUT", "/v1/me/preferences"): "change_preferences",
        ("POST", "/v1/me/password"): "change_password",
        ("POST", "/v1/me/verify-email"): "send_verification",
        ("PUT", "/v1/movies/{movie_id}/rating"): "rate",
        ("DELETE", "/v1/movies/{movie_id}/rating"): "withdraw_rating",
        ("POST", "/v1/ratings/import"): "import_ratings",
        ("PUT", "/v1/movies/{movie_id}/favourite"): "favourite",
        ("DELETE", "/v1/movies/{movie_id}/favourite"): "unfavourite",
        ("PUT", "/v1/movies/{movie_id}/hidden"): "hide",
        ("DELETE", "/v1/movies/{movie_id}/hidden"): "unhide",
        ("POST", "/v1/playlists"): "create_playlist",
        ("PATCH", "/v1/playlists/{playlist_id}"): "change_playlist",
        ("DELETE", "/v1/playlists/{playlist_id}"): "delete_playlist",
        ("PUT", "/v1/playlists/{playlist_id}/movies/{movie_id}"): "put_into_playlist",
        ("DELETE", "/v1/playlists/{playlist_id}/movies/{movie_id}"): "take_from_playlist",
    }
    swagger = api("GET", "/docs/?format=openapi").json()
    prefix = swagger["basePath"].rstrip("/")
    assert described == {
        (method.upper(), prefix + path): operation["operationId"]
        for path, methods in swagger["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }


def test_openapi_describes_special_headers_and_answers(api):
    paths = api("GET", "/openapi.json").json()["paths"]
    change = paths["/v1/playlists/{playlist_id}"]["patch"]
    assert "If-Match" in {parameter["name"] for parameter in change["parameters"]}
    assert {"200", "401", "404", "409", "412", "413", "415", "422"} <= change["responses"].keys()
    put = paths["/v1/movies/{movie_id}/hidden"]["put"]
    assert "requestBody" not in put
    assert "412" not in put["responses"]
    brought = paths["/v1/ratings/import"]["post"]["requestBody"]["content"]["application/json"]
    assert brought["schema"]["type"] == "array"


@pytest.mark.parametrize("page", ["/docs/", "/redoc/"])
def test_api_docs_pages_are_served(api, page):
    answer = api("GET", page)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (200, "text/html")
