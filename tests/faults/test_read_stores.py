"""What do people see while a read store is lost or away, and is all of it there again after that?

Nobody is told that there is nothing where there is something: what can't be answered is refused,
with a reason and a time; everything else is answered.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event

import httpx
from redis import Redis

from benchmarks.write_load.load import Load, LoadOptions
from benchmarks.write_load.reader import PATHS
from tests.faults.kill_loop.stage import UNTHROTTLED
from tests.fixtures import environment, indices
from tests.fixtures.platform import LEVEL_SECONDS, import_
from tests.fixtures.tcp_proxy import proxy_to
from tests.fixtures.waiting import until

MOVIES = 40
RATED = 30
"""The others stay to be recommended, however long people rate."""
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
def under_load(found):
    """People write and read; what they saw, and whether all of it is there, is looked at after."""
    wanted = LoadOptions(
        command_url=found.command_url, query_url=found.query_url, people=3, movies=RATED
    )
    load, stopping = Load(wanted), Event()
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
        level_and_equal(found)
        seen = load.check()
        assert seen.is_right, seen.shown


def level_and_equal(found):
    assert found.manage("lag", "--wait", LEVEL_SECONDS) == 0
    assert found.manage("verify", "--all") == 0


def has_read(load, times):
    """Wait until every path was answered so many times more."""
    [reads] = load.reads
    before = dict(reads.answered)
    until(lambda: all(reads.answered[path] >= before.get(path, 0) + times for path in PATHS))


def test_redis_flushed_under_load(start, catalogue, redis_url):
    found = start(**UNTHROTTLED)
    import_(found, catalogue)
    with under_load(found) as load:
        has_read(load, 2)
        with Redis.from_url(redis_url) as redis:
            redis.flushall()
        has_read(load, 2)
        [reads] = load.reads
        assert reads.not_now.total() > 0


def test_the_index_deleted_under_load(start, catalogue, elasticsearch_url):
    found = start(**UNTHROTTLED)
    import_(found, catalogue)
    with under_load(found) as load:
        for _ in range(3):
            has_read(load, 2)
            indices.drop(elasticsearch_url, environment.RUN)
        has_read(load, 2)
    whole = httpx.get(f"{found.query_url}/v1/discover?limit=100", timeout=60).json()
    assert whole["total"] == MOVIES


def test_redis_away(start, catalogue, redis_url, query_redis_url, somebody):
    with proxy_to(redis_url) as line:
        over = {
            "MARQUEE_REDIS_URL": line.url,
            "MARQUEE_QUERY_REDIS_URL": line.url.replace("redis://", "redis://query:query@"),
        }
        found = start(**UNTHROTTLED, **over)
        import_(found, catalogue)
        ann = somebody(found, "ann")
        until(lambda: all(ann.read(path).status_code == 200 for path in NEED_NO_SEARCH))
        line.cut()
        for path in (*NEED_NO_SEARCH, *NEED_SEARCH):
            refused_for_now(ann.read(path))
        assert ann.query.get("/health/live").status_code == 200
        assert "redis" in down(ann.query)
        written = ann.put("/v1/movies/3/rating", {"score": 7})
        assert written.status_code == 200
        assert "redis" in down(ann.command)
        line.mend()
        at = written.headers["Log-Position"]
        until(lambda: ann.read("/v1/movies/3", at).status_code == 200)
        assert ann.read("/v1/movies/3", at).json()["community"]["count"] == 1
        level_and_equal(found)
        until(lambda: ann.query.get("/health/ready").status_code == 200)


def test_elasticsearch_away(start, catalogue, elasticsearch_url, somebody):
    with proxy_to(elasticsearch_url) as line:
        found = start(**UNTHROTTLED, MARQUEE_ELASTICSEARCH_URL=line.url)
        import_(found, catalogue)
        ann = somebody(found, "ann")
        until(lambda: all(ann.read(p).status_code == 200 for p in (*NEED_NO_SEARCH, *NEED_SEARCH)))
        line.cut()
        written = ann.put("/v1/movies/3/rating", {"score": 7})
        at = written.headers["Log-Position"]
        for path in NEED_NO_SEARCH:
            assert ann.read(path).status_code == 200, path
        assert ann.read("/v1/movies/3", at).json()["community"]["count"] == 1
        for path in NEED_SEARCH:
            refused_for_now(ann.read(f"{path}&limit=7"))  # which nobody asked before
            refused_for_now(ann.read(path, at))
        assert ann.query.get("/health/live").status_code == 200
        assert down(ann.query) == ["search"]
        assert ann.command.get("/health/ready").status_code == 200
        line.mend()
        until(lambda: ann.read("/v1/discover?min_score=7", at).status_code == 200)
        items = ann.read("/v1/discover?min_score=7", at).json()["items"]
        assert [item["id"] for item in items] == [3]
        level_and_equal(found)


def refused_for_now(answer):
    """The promised form of "not now"."""
    assert answer.status_code == 503, (answer.url, answer.text)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["type"] == "/problems/unavailable"


def down(client):
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    return [name for name, state in ready.json()["needs"].items() if state != "ok"]
