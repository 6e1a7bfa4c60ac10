"""Read stores lost or away: answers are true or refused, and read models recover.

A read that cannot be answered gets a 503 with a reason and a Retry-After, never an empty answer;
all other reads are answered.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from threading import Event

import httpx
import pytest
from redis import Redis

from benchmarks.write_load.load import Load, LoadOptions
from benchmarks.write_load.reader import PATHS
from infra.services import as_cache, as_query
from tests.fixtures.platform import (
    UNTHROTTLED,
    Shared,
    assert_level_and_equal,
    import_,
    start_shared_platform,
)
from tests.fixtures.tcp_proxy import proxy_to
from tests.fixtures.waiting import until

MOVIES = 40
RATED = 30
"""The other movies stay unrated, so that there is always something to recommend."""
NEED_SEARCH = ("/v1/search?q=adventures", "/v1/discover?sort=year")
NEED_NO_SEARCH = (
    "/v1/movies/3",
    "/v1/movies/3/similar",
    "/v1/trending?window=week",
    "/v1/suggestions?q=adv",
    "/v1/genres",
    "/v1/playlists",
    "/v1/me",
    "/v1/me/ratings",
    "/v1/me/favourites",
    "/v1/me/playlists",
    "/v1/me/recommendations",
)


@contextmanager
def under_load(platform):
    """Users write and read during the block; afterwards their reads and all writes are checked."""
    options = LoadOptions(
        command_url=platform.command_url,
        query_url=platform.query_url,
        people=3,
        movies=RATED,
        pause_seconds=0.1,  # what was lost is built again on the same cores
    )
    load, stopping = Load(options), Event()
    with closing(load), ThreadPoolExecutor() as threads:
        running = threads.submit(load.run, stopping, lambda: None)
        try:
            yield load
        finally:
            stopping.set()
        running.result()
        assert (load.writes.refused, load.writes.repeated) == (0, 0)
        [reads] = load.reads
        assert (dict(reads.failed), dict(reads.untrue)) == ({}, {})
        assert_level_and_equal(platform)
        result = load.check()
        assert result.is_right, result.shown


def wait_for_reads(load, times):
    """Wait until every path was answered ``times`` more times."""
    [reads] = load.reads
    before = dict(reads.answered)
    until(lambda: all(reads.answered[path] >= before.get(path, 0) + times for path in PATHS))


def test_no_read_is_untrue_when_redis_is_flushed_under_load(start, catalogue, redis_url):
    """Uses its own platform: the shared log is long, and all of it would be read again."""
    platform = start(**UNTHROTTLED)
    import_(platform, catalogue)
    with under_load(platform) as load:
        wait_for_reads(load, 2)
        with Redis.from_url(redis_url) as redis:
            redis.flushall()
        wait_for_reads(load, 2)
        [reads] = load.reads
        assert reads.not_now.total() > 0


def test_no_read_is_untrue_when_the_search_index_is_deleted_under_load(shared_platform):
    platform = shared_platform.platform
    total = discoverable_count(platform)
    with under_load(platform) as load:
        for _ in range(3):
            wait_for_reads(load, 2)
            shared_platform.drop_indices()
        wait_for_reads(load, 2)
    assert discoverable_count(platform) == total


def discoverable_count(platform):
    """How many movies the search index holds."""
    total = httpx.get(f"{platform.query_url}/v1/discover?limit=100", timeout=60).json()["total"]
    assert total >= MOVIES
    return total


@pytest.fixture(scope="module")
def _proxied(services, django_db_setup, keys):
    with ExitStack() as stack:
        proxies = {}

        def proxy_addresses(redis_url, elasticsearch_url):
            redis = proxies["redis"] = stack.enter_context(proxy_to(redis_url))
            search = proxies["elasticsearch"] = stack.enter_context(proxy_to(elasticsearch_url))
            return {
                "MARQUEE_REDIS_URL": redis.url,
                "MARQUEE_QUERY_REDIS_URL": as_query(redis.url),
                "MARQUEE_CACHE_REDIS_URL": as_cache(redis.url),
                "MARQUEE_ELASTICSEARCH_URL": search.url,
            }

        shared = Shared(lambda: start_shared_platform(services, "proxied", proxy_addresses))
        yield shared, proxies
        shared.close()


@pytest.fixture
def proxied_platform(_proxied, request):
    """A platform that reaches Redis and Elasticsearch over proxies; shared by this module."""
    yield from _proxied[0].lend(request)


@pytest.fixture
def proxies(proxied_platform, _proxied):
    """The platform's proxies, by server."""
    return _proxied[1]


def test_reads_are_refused_and_writes_accepted_while_redis_is_away(
    proxied_platform, proxies, register_client
):
    platform = proxied_platform.platform
    ann = register_client(platform)
    until(lambda: all(ann.read(path).status_code == 200 for path in NEED_NO_SEARCH))
    before = ann.read("/v1/movies/3").json()["community"]["count"]
    proxies["redis"].cut()
    for path in (*NEED_NO_SEARCH, *NEED_SEARCH):
        assert_unavailable(ann.read(path))
    assert ann.query.get("/health/live").status_code == 200
    assert "redis" in failed_needs(ann.query)
    written = ann.put("/v1/movies/3/rating", {"score": 7})
    assert written.status_code == 200
    assert "redis" in failed_needs(ann.command)
    proxies["redis"].mend()
    at = written.headers["Log-Position"]
    until(lambda: ann.read("/v1/movies/3", at).status_code == 200)
    assert ann.read("/v1/movies/3", at).json()["community"]["count"] == before + 1
    assert_level_and_equal(platform)
    until(lambda: ann.query.get("/health/ready").status_code == 200)


def test_only_searches_are_refused_while_elasticsearch_is_away(
    proxied_platform, proxies, register_client
):
    platform = proxied_platform.platform
    ann = register_client(platform)
    until(lambda: all(ann.read(p).status_code == 200 for p in (*NEED_NO_SEARCH, *NEED_SEARCH)))
    before = ann.read("/v1/movies/3").json()["community"]["count"]
    proxies["elasticsearch"].cut()
    written = ann.put("/v1/movies/3/rating", {"score": 7})
    at = written.headers["Log-Position"]
    for path in NEED_NO_SEARCH:
        assert ann.read(path).status_code == 200, path
    assert ann.read("/v1/movies/3", at).json()["community"]["count"] == before + 1
    for path in NEED_SEARCH:
        assert_unavailable(ann.read(f"{path}&limit=7"))  # not cached
        assert_unavailable(ann.read(path, at))
    assert ann.query.get("/health/live").status_code == 200
    assert failed_needs(ann.query) == ["search"]
    assert ann.command.get("/health/ready").status_code == 200
    proxies["elasticsearch"].mend()
    until(lambda: ann.read("/v1/discover?min_score=7", at).status_code == 200)
    items = ann.read("/v1/discover?min_score=7", at).json()["items"]
    assert [item["id"] for item in items] == [3]
    assert_level_and_equal(platform)


def assert_unavailable(answer):
    """Assert a 503 with problem details and a Retry-After."""
    assert answer.status_code == 503, (answer.url, answer.text)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["type"] == "/problems/unavailable"


def failed_needs(client):
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    return [name for name, state in ready.json()["needs"].items() if state != "ok"]
