"""Is anything lost, or taken in twice, when processes are killed in the middle of their work?

Every test ends with ``verify --all``: each model's state equals a fold of the log.
"""

import os
import signal
import subprocess
from pathlib import Path

import pika
import pytest
from redis import Redis

from benchmarks.generated_ratings import make
from events.bus import topology
from infra.platform.processes import HOME, manage
from infra.platform.topology import Platform
from tests.fixtures import broker, environment
from tests.fixtures.platform import LEVEL_SECONDS, import_
from tests.fixtures.waiting import until

PATIENCE_SECONDS = 60
RATINGS = 20_000


@pytest.fixture
def ratings(tmp_path: Path, request) -> Path:
    """Twenty thousand ratings of four hundred movies, or as many as a test asks for."""
    count = getattr(request, "param", RATINGS)
    directory = tmp_path / str(count)
    directory.mkdir()
    make(directory, ratings=count, people=200, movies=400)
    return directory


@pytest.fixture
def importing(variables, ratings):
    """An import of ratings that is under way."""
    started = []

    def begin() -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            manage("import_movielens", str(ratings), "--until-now"),
            cwd=HOME,
            env={**os.environ, **variables, "MARQUEE_ROLE": "ops"},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_projector_and_relay_killed_in_the_middle_of_an_import(
    start, catalogue, importing, redis_url
):
    found = start()
    import_(found, catalogue)
    under_way = importing()
    for _ in range(3):
        wait_for_more(redis_url, under_way)
        for name in ("projector", "relay"):
            found.processes[name].stop(signal.SIGKILL)
            found.processes[name].start()
    assert under_way.wait(PATIENCE_SECONDS) == 0
    level_and_equal(found)


def test_an_import_that_is_killed_goes_on_where_it_was(start, catalogue, importing, redis_url):
    found = start()
    import_(found, catalogue)
    killed = importing()
    wait_for_more(redis_url, killed)
    killed.kill()
    killed.wait()
    assert importing().wait(PATIENCE_SECONDS) == 0
    level_and_equal(found)
    assert ratings_in(redis_url) == RATINGS


def test_queues_purged_and_deleted_with_no_event_following(
    start, catalogue, importing, services, redis_url
):
    found = start()
    import_(found, catalogue)
    found.processes["projector"].stop(signal.SIGKILL)
    assert importing().wait(PATIENCE_SECONDS) == 0
    broker.empty(services.bus_admin, environment.RUN)
    found.processes["projector"].start()
    level_and_equal(found)
    assert ratings_in(redis_url) == RATINGS


def test_queues_deleted_under_a_working_projector(start, catalogue, services, somebody):
    found = start()
    import_(found, catalogue)
    broker.empty(services.bus_admin, environment.RUN)
    ann = somebody(found, "ann")
    at = ann.put("/v1/movies/3/rating", {"score": 7}).headers["Log-Position"]
    assert ann.read("/v1/movies/3", at).json()["community"]["count"] == 1
    level_and_equal(found)


def test_what_waited_in_queues_is_purged_with_no_event_following(
    start, catalogue, importing, services, redis_url
):
    found = start()
    import_(found, catalogue)
    projector = found.processes["projector"].popen
    projector.send_signal(signal.SIGSTOP)
    assert importing().wait(PATIENCE_SECONDS) == 0
    broker.purge(services.bus_admin, environment.RUN)
    projector.send_signal(signal.SIGCONT)
    level_and_equal(found)
    assert ratings_in(redis_url) == RATINGS


@pytest.mark.parametrize("ratings", [2000, RATINGS], indirect=True)
def test_queues_that_are_full_drop_what_the_log_has(
    start, catalogue, importing, services, redis_url, ratings
):
    """Few are missing: gaps, filled one by one. Many: the worker leaves the bus for the log."""
    found = start()
    import_(found, catalogue)
    broker.shorten(services.bus_admin, environment.RUN, length=10)
    projector = found.processes["projector"].popen
    projector.send_signal(signal.SIGSTOP)
    assert importing().wait(PATIENCE_SECONDS) == 0
    projector.send_signal(signal.SIGCONT)
    level_and_equal(found)
    assert ratings_in(redis_url) == int(ratings.name)


def test_a_broker_that_refuses_holds_nobody_up(
    start, catalogue, bus_url, namespace, somebody, redis_url
):
    """Somebody's queue that takes no more stops the relay; the log stands in."""
    found = start()
    import_(found, catalogue)
    with pika.BlockingConnection(pika.URLParameters(bus_url)) as connection:
        channel = connection.channel()
        arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
        channel.queue_declare("somebodys", arguments=arguments)
        channel.queue_bind("somebodys", topology.exchange(namespace), "#")
        ann = somebody(found, "ann")
        answers = [ann.put(f"/v1/movies/{n}/rating", {"score": 7}) for n in range(1, 11)]
        at = answers[-1].headers["Log-Position"]
        assert len(ann.read("/v1/me/ratings", at).json()["items"]) == 10
        level_and_equal(found)
        channel.queue_delete("somebodys")
    assert ratings_in(redis_url) == 10


def test_redis_that_lost_everything_is_filled_again(start, catalogue, redis_url, somebody):
    found = start()
    import_(found, catalogue)
    ann = somebody(found, "ann")
    ann.put("/v1/movies/3/rating", {"score": 7})
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    assert ann.read("/v1/movies/3").status_code in {200, 404, 503}
    level_and_equal(found)
    until(lambda: ann.read("/v1/movies/3").status_code == 200)
    assert ann.read("/v1/movies/3").json()["community"]["count"] == 1


def level_and_equal(found: Platform) -> None:
    """Everything is taken in, and nothing else."""
    assert found.manage("lag", "--wait", LEVEL_SECONDS) == 0
    assert found.manage("verify", "--all") == 0


def wait_for_more(redis_url: str, under_way: "subprocess.Popen[bytes]") -> None:
    """Wait until projectors have taken in more, or there is nothing more to come."""
    before = taken_in(redis_url)
    until(lambda: taken_in(redis_url) > before or under_way.poll() is not None)


def taken_in(redis_url: str) -> int:
    """How many events the movies model has taken in."""
    with Redis.from_url(redis_url) as redis:
        return sum(int(offset) for offset in redis.hvals("{movies.1.all}:checkpoints"))


def ratings_in(redis_url: str) -> int:
    """How many ratings the trending model has counted."""
    with Redis.from_url(redis_url) as redis:
        return sum(
            int(score)
            for _, score in redis.zrange("{trending.1.all}:state:popular", 0, -1, withscores=True)
        )
