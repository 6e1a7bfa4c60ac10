"""Admin log-in: staff only, ends with the log-in, rate-limited like the API."""

from time import time
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError
from django.urls import get_resolver

from command_api.accounts import password_hashing
from command_api.admin import session_cookie
from command_api.erasure import process
from command_api.passwords import change
from command_api.sessions import logout
from command_api.staff import grants
from events.recorded import Origin
from events.vault import refresh_families, subjects
from events.vault.models import Family
from infra.security import access_tokens
from tests.command_api.admin.conftest import browser, cookie_of
from tests.command_api.conftest import ALIEN, PASSWORD, log_rows
from tests.fixtures.permission_matrix import endpoints

pytestmark = pytest.mark.django_db(databases=["default", "vault"])
LOGIN, LOGOUT = "/admin/login/", "/admin/logout/"
MOVIE = f"/admin/catalogue/movie/{ALIEN}/"
FORM = "application/x-www-form-urlencoded"


def origin():
    return Origin(correlation_id=uuid4())


def pages():
    """URLs of all pages for staff."""
    routes = {each.route for each in endpoints(get_resolver().url_patterns)}
    paths = {f"/{route}" for route in routes if route.startswith("admin/")} - {LOGIN, LOGOUT}
    return sorted(page.replace("<path:object_id>", str(ALIEN)) for page in paths)


def is_asked_to_log_in(client, page=MOVIE):
    answer = client.get(page)
    if answer.status_code == 302:
        assert answer["Location"] == f"{LOGIN}?{urlencode({'next': page})}"
        return True
    assert answer.status_code in (200, 404), answer.content
    return False


def post(client, page, **fields):
    return client.post(page, urlencode(fields), content_type=FORM)


def submit_login(client, login="ann", password=PASSWORD, **more):
    """Open the log-in form, fill it in and submit it."""
    form = client.get(f"{LOGIN}?{urlencode(more)}")
    assert form.status_code == 200
    token = str(form.context["csrf_token"])
    return post(client, LOGIN, login=login, password=password, csrfmiddlewaretoken=token, **more)


@pytest.fixture
def ann(register):
    """A staff user with a password."""
    user_id = UUID(register("ann").json()["id"])
    grants.grant(user_id, origin=origin())
    return user_id


@pytest.fixture
def logged_in_client(ann):
    """Client of a staff user after log-in."""
    client = browser(is_strict=True)
    assert submit_login(client).status_code == 302
    return client


def test_staff_log_in_read_pages_and_log_out(ann):
    client = browser(is_strict=True)
    answer = submit_login(client, next=MOVIE)
    assert (answer.status_code, answer["Location"]) == (302, MOVIE)
    cookie = answer.cookies[session_cookie.NAME]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == (
        "Strict",
        "/admin/",
        8 * 3600,
    )
    page = client.get(MOVIE)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    token = str(page.context["csrf_token"])
    assert post(client, LOGOUT, csrfmiddlewaretoken=token)["Location"] == "/admin/"
    assert session_cookie.NAME not in {
        name for name, cookie in client.cookies.items() if cookie.value
    }
    assert is_asked_to_log_in(browser(cookie.value))  # a copied cookie is invalid, too
    assert [type_ for type_, _ in log_rows()][-1] == "session-revoked.v1"


def test_admin_pages_redirect_everyone_but_staff_to_the_login(person, staff):
    with_pages = browser(cookie_of(staff()))
    refused = {
        "nobody": browser(),
        "not of the staff": browser(cookie_of(person())),
        "an access token": browser(access_tokens.mint_access(uuid4(), uuid4(), 0, is_staff=True)),
        "a log-in that is none": browser(session_cookie.write(uuid4(), 0)),
    }
    assert len(pages()) > 10
    for page in pages():
        assert not is_asked_to_log_in(with_pages, page)
        assert [
            name for name, client in refused.items() if not is_asked_to_log_in(client, page)
        ] == []


def test_access_token_of_staff_opens_no_admin_page(api, staff):
    user = staff()
    family = access_tokens.bearer(user.headers["Authorization"]).family
    token = access_tokens.mint_access(user.user_id, family, 0, is_staff=True)
    answer = browser().get(MOVIE, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 302


def test_session_cookie_is_accepted_only_by_admin_pages(api, logged_in_client):
    cookie = logged_in_client.cookies[session_cookie.NAME].value
    by_cookie = logged_in_client.put(f"/v1/movies/{ALIEN}/favourite")
    assert by_cookie.status_code == 401
    as_token = api("POST", "/v1/tokens/refresh", {"refresh": cookie})
    assert as_token.status_code == 401


WAYS_TO_END_A_SESSION = {
    "logged out everywhere": lambda user: logout.end_all_sessions(user, origin=origin()),
    "staff no more": lambda user: grants.revoke(user, origin=origin()),
    "another password": lambda user: change.change(
        user, old=PASSWORD, new="a whiter shade of pale", origin=origin()
    ),
    "to be erased": process.mark_for_erasure,
    "the vault alone knows": lambda user: subjects.raise_epoch(user, 1),
    "the log-in is forgotten": lambda user: Family.objects.filter(user_id=user).delete(),
}


@pytest.mark.parametrize("end", WAYS_TO_END_A_SESSION.values(), ids=WAYS_TO_END_A_SESSION)
def test_admin_session_ends_at_once_when_its_login_is_revoked(ann, logged_in_client, end):
    assert not is_asked_to_log_in(logged_in_client)
    end(ann)
    assert is_asked_to_log_in(logged_in_client)


def test_admin_session_expires_after_eight_hours(ann, logged_in_client, monkeypatch):
    now = time()
    monkeypatch.setattr(session_cookie, "time", lambda: now + 8 * 3600 + 1)
    assert is_asked_to_log_in(logged_in_client)


def test_failed_logins_get_the_same_message(ann, register):
    register("bob")
    messages = set()
    for login, password in (("ann", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD), ("ann", "")):
        answer = submit_login(browser(is_strict=True), login, password)
        assert answer.status_code == 200
        assert session_cookie.NAME not in answer.cookies
        messages.add(answer.context["message"])
    assert len(messages) == 1
    assert Family.objects.count() == 0  # no session was created for a refused user


def test_failed_admin_logins_count_towards_the_login_rate_limit(log_in):
    answers = [submit_login(browser(is_strict=True), "nobody", "x") for _ in range(25)]
    answer = next(answer for answer in answers if answer.status_code == 429)
    assert int(answer["Retry-After"]) > 0
    assert "errornote" in answer.content.decode()
    assert log_in("nobody", "x").status_code == 429


def test_admin_login_answers_503_when_all_hashing_slots_are_taken(ann, monkeypatch):
    places = password_hashing._hashing_slots
    taken = [places.acquire(blocking=False) for _ in range(100)]
    try:
        answer = submit_login(browser(is_strict=True))
    finally:
        for _ in filter(None, taken):
            places.release()
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def test_forms_sent_by_other_sites_are_refused(ann, logged_in_client):
    for page in (LOGIN, LOGOUT):
        answer = post(logged_in_client, page, login="ann", password=PASSWORD)
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"
    assert not is_asked_to_log_in(logged_in_client)


@pytest.mark.parametrize(
    "next_url",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/admin\\@evil.example",
        "javascript:alert(1)",
        "/v1/me",
        "",
    ],
)
def test_login_redirects_to_admin_pages_only(ann, next_url):
    assert submit_login(browser(is_strict=True), next=next_url)["Location"] == "/admin/"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_admin_pages_refuse_methods_that_write(logged_in_client, method):
    for page in ("/admin/", "/admin/catalogue/movie/", MOVIE):
        answer = getattr(logged_in_client, method)(page)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_login_refuses_other_content_types(ann):
    client = browser()
    as_json = client.post(LOGIN, {"login": "ann"}, content_type="application/json")
    in_parts = client.post(LOGIN, b"--x", content_type="multipart/form-data; boundary=x")
    assert [as_json.status_code, in_parts.status_code] == [400, 400]
    too_much = client.post(LOGIN, "x" * 300_000, content_type=FORM)
    assert too_much.status_code == 413


def test_admin_pages_answer_503_without_the_vault(logged_in_client, monkeypatch):
    def raise_unavailable(_family):
        raise OperationalError

    monkeypatch.setattr(refresh_families, "login_status", raise_unavailable)
    answer = logged_in_client.get(MOVIE)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
