"""Fake TMDb server: answers as TMDb's documentation says."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.fake_tmdb import InjectedFault
from infra.fake_tmdb.rate_limit import RequestLimit
from infra.fake_tmdb.server import KEY, TOKEN

TODAY = datetime.now(UTC).date()


@pytest.fixture
def ask(fake_tmdb):
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10) as client:
        yield lambda path, **query: client.get(f"{fake_tmdb.url}{path}", params=query)


@pytest.fixture
def some_film(fake_tmdb):
    return fake_tmdb.films.ids()[0]


def test_fake_tmdb_lists_have_pages_of_twenty(ask):
    first, last = (ask("/movie/popular", page=page).json() for page in (1, 20))
    assert (first["page"], first["total_pages"], first["total_results"]) == (1, 20, 400)
    assert len(first["results"]) == len(last["results"]) == 20
    heights = [film["popularity"] for film in first["results"]]
    assert heights == sorted(heights, reverse=True)
    assert "credits" not in first["results"][0]
    assert first["results"][0]["genre_ids"] is not None


@pytest.mark.parametrize("page", ["0", "501", "one"])
def test_fake_tmdb_answers_code_22_for_pages_out_of_range(ask, page):
    answer = ask("/movie/top_rated", page=page)
    assert (answer.status_code, answer.json()["status_code"]) == (400, 22)


def test_fake_tmdb_answers_code_34_for_missing_resources(ask):
    for path in ("/movie/1", "/no/such/thing"):
        answer = ask(path)
        assert (answer.status_code, answer.json()["status_code"]) == (404, 34)
        assert answer.json()["success"] is False


def test_fake_tmdb_answers_code_7_without_a_key(fake_tmdb):
    answer = httpx.get(f"{fake_tmdb.url}/configuration", headers={"Authorization": "Bearer no"})
    assert (answer.status_code, answer.json()["status_code"]) == (401, 7)
    assert httpx.get(f"{fake_tmdb.url}/configuration", params={"api_key": KEY}).status_code == 200


def test_fake_tmdb_answers_code_25_beyond_the_rate_limit(fake_tmdb, ask):
    fake_tmdb.rate_limit = RequestLimit(3)
    answers = [ask("/configuration") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["status_code"] == 25
    assert answers[3].headers["Retry-After"] == "1"


def test_fake_tmdb_appends_requested_fields_only(ask, some_film):
    film = ask(f"/movie/{some_film}", append_to_response="credits,external_ids").json()
    assert film["external_ids"]["imdb_id"] == film["imdb_id"]
    assert {"cast", "crew"} == film["credits"].keys()
    assert "keywords" not in film
    many = ",".join(f"x{nth}" for nth in range(21))
    assert ask(f"/movie/{some_film}", append_to_response=many).json()["status_code"] == 27


def test_fake_tmdb_lists_changes_by_day(fake_tmdb, ask, some_film):
    fake_tmdb.films.change(some_film, title="Another")
    assert ask("/movie/changes").json()["results"] == [{"id": some_film, "adult": False}]
    before = (TODAY - timedelta(days=2)).isoformat()
    assert ask("/movie/changes", start_date=before, end_date=before).json()["results"] == []
    long_ago = (TODAY - timedelta(days=15)).isoformat()
    assert ask("/movie/changes", start_date=long_ago).json()["status_code"] == 20


def test_fake_tmdb_answers_304_for_an_unchanged_etag(fake_tmdb, ask, some_film):
    tag = ask(f"/movie/{some_film}").headers["ETag"]
    url, headers = f"{fake_tmdb.url}/movie/{some_film}", {"If-None-Match": tag}
    second = httpx.get(url, params={"api_key": KEY}, headers=headers)
    assert (second.status_code, second.content) == (304, b"")


def test_fake_tmdb_injects_faults_on_demand(fake_tmdb, ask):
    for kind in ("limited", "html", "torn", "offline", "fault", "key"):
        fake_tmdb.faults.add(InjectedFault(kind))
    answers = [ask("/configuration") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [429, 200, 200, 503, 500, 401, 200]
    assert answers[1].headers["Content-Type"] == "text/html"
    fake_tmdb.faults.add(InjectedFault("cut"))
    with pytest.raises(httpx.RemoteProtocolError):
        ask("/configuration")


def test_fake_tmdb_runs_as_a_process(fake_tmdb):
    command = [sys.executable, "-m", "infra.fake_tmdb", "--films", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = httpx.get(f"{url}/genre/movie/list", params={"api_key": KEY})
        process.terminate()
    assert len(answer.json()["genres"]) == 19
