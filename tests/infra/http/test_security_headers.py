"""Security headers: on every response, and the check of the Host header."""

from typing import Any

import msgspec
import pytest

from infra.config import config
from infra.http import security_headers
from infra.http.security_headers import PAGES, STAFF_PAGES, SecurityHeaders


def headers(path="/v1/trending", *, status="200 OK", more=()):
    started: list[Any] = []

    def application(environ, start_response):
        start_response(status, list(more))
        return [b""]

    SecurityHeaders(application)({"PATH_INFO": path}, lambda *line: started.extend(line))
    assert started[0] == status
    return dict(started[1])


@pytest.mark.parametrize("status", ["200 OK", "304 Not Modified", "404 Not Found", "500 Fault"])
def test_api_response_may_run_nothing(status):
    response_headers = headers(status=status, more=[("ETag", '"x"')])
    assert response_headers.pop("ETag") == '"x"'
    assert response_headers == {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Content-Security-Policy": (
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        ),
    }


def policy_of(page):
    policy = headers(page)["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in policy.split("; "))


def test_admin_pages_send_forms_and_referrer_to_this_site_only():
    policy = policy_of(f"{STAFF_PAGES}catalogue/movie/")
    assert policy["form-action"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in " ".join(policy.values())
    assert headers(STAFF_PAGES)["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(("https_only", "scheme"), [("true", "https"), ("false", "http")])
def test_https_only_sets_the_url_scheme(monkeypatch, https_only, scheme):
    monkeypatch.setenv("MARQUEE_HTTPS_ONLY", https_only)
    config.cache_clear()
    environ: dict[str, Any] = {"PATH_INFO": STAFF_PAGES, "wsgi.url_scheme": "http"}
    SecurityHeaders(lambda *_: [])(environ, lambda *_: None)
    config.cache_clear()
    assert environ["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("application/json; charset=zlib", "application/json"),  # a codec, but not of text
        ("text/plain;x*=nope'en'a", "text/plain"),  # Django raises ValueError
        ("text/plain;x*0=a;x*=b", "text/plain"),  # TypeError
        ('a;"' + ";" * 16_000, "a"),  # 0.2 s in Django
        (";", ""),
        ("", ""),
    ],
    ids=lambda text: text[:32],
)
def test_parameters_of_content_type_are_dropped(given, passed_on):
    environ: dict[str, Any] = {"PATH_INFO": "/v1/tokens", "CONTENT_TYPE": given}
    SecurityHeaders(lambda *_: [])(environ, lambda *_: None)
    assert environ["CONTENT_TYPE"] == passed_on


@pytest.mark.parametrize("page", PAGES)
def test_documentation_page_runs_own_scripts_only(page):
    policy = policy_of(page)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe-eval" not in " ".join(policy.values())


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/v1/trending", "movies.example.org", 200),
        ("/v1/trending", "Movies.example.org:8000", 200),
        ("/v1/trending", "www.films.example", 200),
        ("/v1/trending", "evil.example", 400),
        ("/v1/trending", "movies.example.org.evil.example", 400),
        ("/v1/trending", "127.0.0.1:8000", 400),
        ("/v1/trending", "evil.example/movies.example.org", 400),
        ("/v1/trending", "", 400),
        ("/health/ready", "127.0.0.1:8000", 200),
    ],
)
def test_foreign_host_header_is_refused(monkeypatch, path, host, status):
    named = msgspec.structs.replace(config(), allowed_hosts="movies.example.org,.films.example")
    monkeypatch.setattr(security_headers, "config", lambda: named)
    started: list[Any] = []

    def application(environ, start_response):
        start_response("200 OK", [])
        return [b""]

    environ = {"PATH_INFO": path, "HTTP_HOST": host}
    body = b"".join(SecurityHeaders(application)(environ, lambda *line: started.extend(line)))
    assert started[0].startswith(f"{status} ")
    response_headers = dict(started[1])
    assert response_headers["X-Frame-Options"] == "DENY"
    if status == 400:
        assert response_headers["Content-Type"] == "application/problem+json"
        assert response_headers["Content-Length"] == str(len(body))
        assert msgspec.json.decode(body)["status"] == 400


def test_hsts_is_sent_when_https_only(monkeypatch):
    assert "Strict-Transport-Security" not in headers()
    changed = msgspec.structs.replace(config(), https_only=True)
    monkeypatch.setattr(security_headers, "config", lambda: changed)
    assert headers()["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
