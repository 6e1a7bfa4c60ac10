"""TMDb client: responses, retries, rate limit, circuit breaker and keys."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from command_api.catalogue.tmdb import client, rate_limiter
from command_api.catalogue.tmdb.client import connect
from command_api.catalogue.tmdb.errors import (
    FilmNotFound,
    MalformedResponse,
    MissingApiKey,
    RejectedApiKey,
    TmdbPaused,
    TmdbUnavailable,
)
from command_api.catalogue.tmdb.rate_limiter import FAILURES
from command_api.catalogue.tmdb.schemas import CastMember
from infra.config import config
from infra.fake_tmdb import InjectedFault
from infra.fake_tmdb.payloads import LEFT_OUT
from infra.fake_tmdb.rate_limit import RequestLimit
from infra.fake_tmdb.server import KEY

TODAY = datetime.now(UTC).date()


@pytest.fixture
def tmdb(connected):
    return connected()


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch):
    monkeypatch.setattr(client, "_FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def a_film(fake_tmdb):
    return fake_tmdb.films.listed("popular")[0]


def test_client_reads_a_film_in_full(tmdb, fake_tmdb, a_film):
    fake_tmdb.films.change(a_film["id"], something_new={"nobody": "knows"})
    film = tmdb.film(a_film["id"]).film
    assert (film.id, film.title) == (a_film["id"], a_film["title"])
    assert film.external_ids.imdb_id == a_film["imdb_id"]
    names = [person["name"] for person in a_film["credits"]["cast"]]
    assert film.credits.cast == tuple(CastMember(name, n) for n, name in enumerate(names))
    assert film.translations.translations[0].iso_639_1 == "fr"


def test_client_accepts_an_api_key_instead_of_a_token(connected):
    assert len(connected(tmdb_token="", tmdb_key=KEY).genres().genres) == 19


def test_unchanged_film_is_not_sent_again(tmdb, fake_tmdb, a_film):
    etag = tmdb.film(a_film["id"]).etag
    assert tmdb.film(a_film["id"], etag).film is None
    fake_tmdb.films.change(a_film["id"], title="Another")
    assert tmdb.film(a_film["id"], etag).film.title == "Another"


def test_client_reads_lists_page_by_page(tmdb, fake_tmdb):
    page = tmdb.listed("popular", 20)
    assert (page.page, page.total_pages, len(page.results)) == (20, 20, 20)
    assert len(tmdb.trending("week", 10).results) == 20
    for film in fake_tmdb.films.ids()[:101]:
        fake_tmdb.films.change(film, overview="Longer.")
    until_tomorrow = tmdb.changes(TODAY, TODAY + timedelta(days=1))  # midnight may be near
    assert [len(page.results) for page in until_tomorrow] == [100, 1]


def test_missing_film_raises_film_not_found(tmdb, fake_tmdb):
    with pytest.raises(FilmNotFound, match="film 7"):
        tmdb.film(7)
    assert fake_tmdb.asked["/3/movie/7"] == 1


@pytest.mark.parametrize("kind", ["html", "torn", "cut", "offline", "fault"])
def test_client_retries_transient_faults(tmdb, fake_tmdb, kind):
    fake_tmdb.faults.add(InjectedFault(kind, times=3))
    assert len(tmdb.genres().genres) == 19
    assert fake_tmdb.asked["/3/genre/movie/list"] == 4


def test_client_raises_after_the_last_retry(tmdb, fake_tmdb):
    fake_tmdb.faults.add(InjectedFault("html", times=None))
    with pytest.raises(TmdbUnavailable, match="no JSON but text/html"):
        tmdb.genres()
    assert fake_tmdb.asked["/3/genre/movie/list"] == client.TRIES


def test_client_gives_up_slow_responses(connected, fake_tmdb):
    fake_tmdb.faults.add(InjectedFault("slow", times=None, seconds=5))
    with pytest.raises(TmdbUnavailable, match="ReadTimeout"):
        connected(tmdb_timeout_seconds=0.05).genres()


def test_circuit_breaker_pauses_requests_after_repeated_failures(connected, fake_tmdb):
    """The pause holds for all clients."""
    fake_tmdb.faults.add(InjectedFault("offline", times=None))
    for _ in range(FAILURES // client.TRIES):
        with pytest.raises(TmdbUnavailable, match="code 9"):
            connected().genres()
    fake_tmdb.faults.clear()
    with pytest.raises(TmdbPaused):
        connected(tmdb_patience_seconds=1).genres()
    assert fake_tmdb.asked["/3/genre/movie/list"] == FAILURES


def test_client_waits_as_a_429_asks(tmdb, fake_tmdb):
    fake_tmdb.faults.add(InjectedFault("limited", retry_after="1"))
    started_at = monotonic()
    assert len(tmdb.genres().genres) == 19
    assert monotonic() - started_at > 0.9
    assert fake_tmdb.asked["/3/genre/movie/list"] == 2


def test_client_does_not_wait_longer_than_its_patience(connected, fake_tmdb):
    fake_tmdb.faults.add(InjectedFault("limited", retry_after="3600"))
    with pytest.raises(TmdbPaused) as error:
        connected().genres()
    assert error.value.seconds == pytest.approx(3600, abs=60)
    with pytest.raises(TmdbPaused):
        connected().trending("day", 1)
    assert sum(fake_tmdb.asked.values()) == 1


@pytest.mark.parametrize("retry_after", ["9" * 30, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_is_capped_at_a_day(connected, fake_tmdb, retry_after):
    fake_tmdb.faults.add(InjectedFault("limited", retry_after=retry_after))
    with pytest.raises(TmdbPaused) as error:
        connected().genres()
    assert error.value.seconds == pytest.approx(client.LONGEST_DELAY_SECONDS, abs=60)
    new_client = connected()
    new_client.reset()
    assert len(new_client.genres().genres) == 19


@pytest.mark.parametrize("status", [401, 403, 404])
def test_errors_of_a_proxy_are_retried_not_taken_for_tmdbs(connected, fake_tmdb, status):
    """Errors of TMDb have a code; those of a proxy don't."""
    fake_tmdb.faults.add(InjectedFault("proxy", times=client.TRIES, status=status))
    with pytest.raises(TmdbUnavailable, match=f"TMDb answered {status}"):
        connected().film(7)
    with pytest.raises(FilmNotFound):
        connected().film(7)


def test_client_sends_no_request_without_redis(connected, fake_tmdb, monkeypatch):
    tmdb = connected()
    acquired = tmdb._rate_limiter.acquire()

    def raise_unavailable(*_, **__):
        raise RedisConnectionError("away")

    monkeypatch.setattr(tmdb._rate_limiter._redis, "execute_command", raise_unavailable)
    monkeypatch.setattr(tmdb._rate_limiter._redis, "pipeline", raise_unavailable)
    for what in (
        tmdb.genres,
        tmdb._rate_limiter.record_failure,
        tmdb._rate_limiter.record_rejected_key,
        tmdb.reset,
    ):
        with pytest.raises(TmdbPaused, match="Redis"):
            what()
    with pytest.raises(TmdbPaused, match="Redis"):
        tmdb._rate_limiter.release(acquired)
    with pytest.raises(TmdbPaused, match="Redis"):
        tmdb._rate_limiter.pause(1)


def test_all_workers_share_one_rate_limit(connected, fake_tmdb):
    """Two clients with eight threads each; the server counts all requests."""
    fake_tmdb.rate_limit = RequestLimit(50)
    workers = [connected(tmdb_per_second=50) for _ in range(2)]
    started_at = monotonic()
    with ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(workers[nth % 2].genres) for nth in range(120)]
        assert all(len(each.result().genres) == 19 for each in futures)
    assert monotonic() - started_at > 1.5
    assert (fake_tmdb.answered[200], fake_tmdb.rate_limit.refused) == (120, 0)


def test_slot_is_released_a_second_after_a_slow_response(connected, fake_tmdb):
    """TMDb may count a request as late as its response: the slot is free one second after it."""
    fake_tmdb.rate_limit = RequestLimit(2)
    tmdb = connected(tmdb_per_second=2)
    fake_tmdb.faults.add(InjectedFault("slow", times=2, seconds=0.6))
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(tmdb.genres) for _ in range(6)]:
            each.result()
    assert (fake_tmdb.answered[200], fake_tmdb.rate_limit.refused) == (6, 0)


def test_rejected_key_is_logged_once_and_not_sent_again(connected, fake_tmdb, monkeypatch):
    messages = []
    monkeypatch.setattr(
        rate_limiter._log, "error", lambda text, **_: messages.append(text), raising=False
    )
    for _ in range(3):
        with pytest.raises(RejectedApiKey, match="MARQUEE_TMDB_TOKEN"):
            connected(tmdb_token="wrong").genres()
    assert fake_tmdb.answered == {401: 1}
    assert messages == ["TMDb rejected the key"]
    assert len(connected().genres().genres) == 19
    new_client = connected(tmdb_token="wrong")
    new_client.reset()
    with pytest.raises(RejectedApiKey):
        new_client.genres()
    assert fake_tmdb.answered[401] == 2


def test_client_without_a_key_sends_no_request():
    with pytest.raises(MissingApiKey):
        connect(config())


@pytest.mark.parametrize("field", ["title", "genres", "release_date"])
def test_film_without_a_required_field_is_malformed_and_named(tmdb, fake_tmdb, a_film, field):
    fake_tmdb.films.change(a_film["id"], **{field: LEFT_OUT})
    with pytest.raises(MalformedResponse, match=f"film {a_film['id']}.*{field}"):
        tmdb.film(a_film["id"])
    assert fake_tmdb.asked[f"/3/movie/{a_film['id']}"] == 1


@pytest.mark.parametrize("field", ["overview", "runtime", "credits", "keywords", "poster_path"])
def test_film_without_optional_fields_is_accepted(tmdb, fake_tmdb, a_film, field):
    fake_tmdb.films.change(a_film["id"], **{field: LEFT_OUT})
    assert tmdb.film(a_film["id"]).film.title == a_film["title"]
