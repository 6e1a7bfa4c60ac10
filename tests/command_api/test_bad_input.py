"""Bad input: refused by field name, and nothing is appended."""

import pytest
from django.test import RequestFactory

from command_api.event_store import store
from infra.config import config
from infra.rate_limit import sliding_window
from infra.rate_limit.sliding_window import MINUTE
from tests.command_api.conftest import ALIEN, fields, use_up

RATING = f"/v1/movies/{ALIEN}/rating"
LONG = "x" * 100_000
ACCOUNT = {"username": "ann", "email": "ann@example.org", "password": "correct horse battery"}


@pytest.fixture
def unchanged(api):
    """Assert that the log is unchanged afterwards."""
    before = store().heads()
    yield
    assert store().heads() == before


pytestmark = [
    pytest.mark.django_db(databases=["default", "vault"]),
    pytest.mark.usefixtures("unchanged"),
]


@pytest.mark.parametrize("score", [0, 11, -3, 10**30, "7", 7.0, 7.5, True, None, [], {}, "", LONG])
def test_rating_refuses_scores_that_are_not_integers_of_the_scale(api, ann, score):
    answer = api.rate(ALIEN, score, by=ann)
    assert (answer.status_code, fields(answer)) == (422, ["score"])


@pytest.mark.parametrize("body", [{}, [], "7", 7, None])
def test_command_refuses_a_body_that_is_not_its_object(api, ann, body):
    raw = b"null" if body is None else body
    assert api("PUT", RATING, raw, by=ann).status_code == 422


def test_command_names_unknown_fields(api, ann):
    answer = api("PUT", RATING, {"score": 8, "movie": 3}, by=ann)
    assert (answer.status_code, fields(answer)) == (422, ["movie"])


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b'{"score": NaN}', b'{"score": 8}}', b"\xff\xfe", b"[" * 50_000, b'{"score":8,}'],
)
def test_command_refuses_broken_json(api, ann, raw):
    answer = api("PUT", RATING, raw, by=ann)
    assert answer.status_code in (400, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"
    if not raw.startswith(b"["):
        assert answer.status_code == 400


def test_command_refuses_a_body_that_is_too_large(api, ann):
    raw = b'{"score": 8, "x": "%s"}' % (b"y" * config().body_limit_bytes)
    assert api("PUT", RATING, raw, by=ann).status_code == 413


def test_command_refuses_a_chunked_body(api, ann):
    answer = api("PUT", RATING, {"score": 8}, by=ann, Transfer_Encoding="chunked")
    assert answer.status_code == 400
    assert "Content-Length" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_command_refuses_other_media_types(api, ann, kind):
    assert api("PUT", RATING, b"score=8", by=ann, Content_Type=kind).status_code == 415


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "an"),
        ("username", "a" * 31),
        ("username", LONG),
        ("username", "-ann"),
        ("username", "ann lee"),
        ("username", "ann\n"),
        ("username", "änn"),
        ("username", "ann@home"),
        ("username", 7),
        ("username", None),
        ("email", "ann"),
        ("email", "ann@"),
        ("email", f"ann@{LONG}.org"),
        ("email", "ann@example.org\x00"),
        ("password", "short"),
        ("password", "x" * 257),
        ("password", "password123"),
        ("password", "ann@example.org"),
        ("password", 12345678),
        ("genres", "Comedy"),
        ("genres", ["Comedy"] * 1000),
        ("genres", ["Nonsense"] * 10_000),
        ("genres", list(range(30_000))),
        ("username", "\u0301\u0323" * 20_000),
        ("email", "ann@example.org" + "\u0301\u0323" * 20_000),
        ("password", "\u0323" * 20_000 + "\u0301" * 20_000),
        ("is_staff", True),
    ],
)
def test_registration_refuses_invalid_fields(api, field, value):
    answer = api("POST", "/v1/accounts", ACCOUNT | {field: value})
    assert (answer.status_code, set(fields(answer))) == (422, {field})


@pytest.mark.parametrize(
    "body",
    [
        ACCOUNT | {"genres": ["Nonsense"] * 10_000},
        ACCOUNT | {"genres": [LONG]},
        ACCOUNT | {LONG: 1},
        ACCOUNT | {f"member{nth}": "x" for nth in range(90)},
    ],
    ids=["many items", "a long item", "a long name", "many members"],
)
def test_refusal_lists_a_bounded_number_of_short_errors(api, body):
    answer = api("POST", "/v1/accounts", body)
    assert answer.status_code == 422
    assert 1 <= len(fields(answer)) <= 100
    assert all(len(word) <= 300 for it in answer.json()["errors"] for word in it.values())


def test_unknown_genre_is_named_by_its_index(api):
    answer = api("POST", "/v1/accounts", ACCOUNT | {"genres": ["Comedy", "Comedies"]})
    assert (answer.status_code, fields(answer)) == (422, ["genres.1"])


@pytest.mark.parametrize("missing", ["username", "email", "password"])
def test_registration_names_missing_fields(api, missing):
    body = {name: value for name, value in ACCOUNT.items() if name != missing}
    answer = api("POST", "/v1/accounts", body)
    assert (answer.status_code, fields(answer)) == (422, [missing])


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"genres": ["Nonsense"]}, "genres.0"),
        ({"genres": None}, "genres"),
        ({"public_activity": "yes"}, "public_activity"),
        ({"public_activity": 1}, "public_activity"),
        ({"public_activity": None}, "public_activity"),
        ({"strategy": "UPPER"}, "strategy"),
        ({"strategy": LONG}, "strategy"),
        ({"strategy": 3}, "strategy"),
        ({"taste": 3}, "taste"),
    ],
)
def test_preferences_refuse_invalid_fields(api, ann, body, named):
    answer = api("PUT", "/v1/me/preferences", body, by=ann)
    assert (answer.status_code, fields(answer)) == (422, [named])


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x.y.z", "Basic YTpi", "Bearer é"])
def test_command_without_a_valid_token_is_refused(api, header):
    headers = {} if header is None else {"Authorization": header}
    answer = api("PUT", RATING, {"score": 8}, **headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_command_refuses_other_methods(api, ann):
    answer = api("PATCH", RATING, {"score": 8}, by=ann)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "PUT, DELETE, OPTIONS"
    assert api("DISPATCH", RATING, by=ann).status_code == 405
    assert api("OPTIONS", RATING).status_code == 204


def test_unknown_url_is_not_found(api):
    answer = api("GET", "/v1/movies/one/rating")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_commands_are_rate_limited_by_user(api, ann):
    counter = sliding_window.of_user(ann.user_id)
    use_up(counter, counter.limit - 1)
    answers = [api.rate(ALIEN, 0, by=ann) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [422, 429]
    assert 1 <= int(answers[1].headers["Retry-After"]) <= 2 * MINUTE
    assert answers[1].headers["RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", RATING, {"score": 0}, 422),
        ("PUT", RATING, b"{", 400),
        ("PUT", "/v1/movies/99/rating", {"score": 8}, 404),
        ("DELETE", "/v1/playlists/none", None, 404),
    ],
)
def test_refusal_carries_the_rate_limit_headers(api, ann, method, path, body, status):
    answer = api(method, path, body, by=ann)
    assert answer.status_code == status
    assert answer.headers["RateLimit-Limit"] == str(config().throttle_write_per_minute)
    assert int(answer.headers["RateLimit-Remaining"]) < config().throttle_write_per_minute
    guessed = api(method, path, body, Authorization="Bearer x.y.z")
    assert guessed.headers["RateLimit-Limit"] == str(config().throttle_anonymous_per_minute)


def test_failed_log_in_carries_no_rate_limit_headers(api):
    """The headers would reveal whether the name ever logged in from this address."""
    answer = api("POST", "/v1/tokens", {"login": "ann", "password": "x"})
    assert answer.status_code == 401
    assert not [name for name in answer.headers if name.startswith("RateLimit")]


def test_invalid_tokens_count_against_the_address(api):
    request = RequestFactory().get("/")
    counter = sliding_window.of_address(request)
    use_up(counter, counter.limit)
    assert api("PUT", RATING, {"score": 8}, Authorization="Bearer x.y.z").status_code == 429
