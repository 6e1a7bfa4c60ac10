"""Crashes during an import: nothing is lost or applied twice when processes or queues go away.

The tests share a platform. Every test ends with ``verify --all``: each read model equals a fold of
the log.
"""

import signal
import subprocess
from functools import partial
from itertools import count
from pathlib import Path

import pika
import pytest
from redis import Redis

from benchmarks.generated_ratings import make
from events.bus import topology
from projectors.consumer.worker import BULK_LAG
from tests.fixtures import broker
from tests.fixtures.platform import SharedPlatform, assert_level_and_equal
from tests.fixtures.waiting import until

PATIENCE_SECONDS = 60
FEW, MANY = 2000, BULK_LAG + 1000
"""A worker that is so many events behind leaves the bus for the log; for few it stays."""
ENOUGH_FOR_THREE_KILLS = 20_000
USERS = 200
_first_user = count(1, USERS)


@pytest.fixture
def ratings(tmp_path: Path, request) -> Path:
    """Ratings of four hundred movies by users that no other test has; few unless parametrised."""
    number = getattr(request, "param", FEW)
    directory = tmp_path / str(number)
    directory.mkdir()
    make(directory, ratings=number, people=USERS, movies=400, first_user=next(_first_user))
    return directory


@pytest.fixture
def importing(start_import, ratings):
    """Starts an import of the ratings."""
    return partial(start_import, ratings)


@pytest.mark.parametrize("ratings", [ENOUGH_FOR_THREE_KILLS], indirect=True)
def test_import_loses_nothing_when_projector_and_relay_are_killed_thrice(
    shared_platform, importing, ratings
):
    platform = shared_platform.platform
    before = ratings_in(shared_platform)
    running_import = importing()
    for _ in range(3):
        wait_for_more(shared_platform, running_import)
        for name in ("projector", "relay"):
            platform.processes[name].stop(signal.SIGKILL)
            platform.processes[name].start()
    assert running_import.wait(PATIENCE_SECONDS) == 0
    assert_level_and_equal(platform)
    assert ratings_in(shared_platform) == before + ENOUGH_FOR_THREE_KILLS


@pytest.mark.parametrize("ratings", [MANY], indirect=True)
def test_killed_import_resumes_at_the_last_committed_line(shared_platform, importing, ratings):
    before = ratings_in(shared_platform)
    killed = importing()
    wait_for_more(shared_platform, killed)
    killed.kill()
    killed.wait()
    assert importing().wait(PATIENCE_SECONDS) == 0
    assert_level_and_equal(shared_platform.platform)
    assert ratings_in(shared_platform) == before + MANY


def test_deleted_queues_are_replaced_by_the_log_when_no_event_follows(shared_platform, importing):
    platform = shared_platform.platform
    before = ratings_in(shared_platform)
    platform.processes["projector"].stop(signal.SIGKILL)
    assert importing().wait(PATIENCE_SECONDS) == 0
    shared_platform.empty_bus()
    platform.processes["projector"].start()
    assert_level_and_equal(platform)
    assert ratings_in(shared_platform) == before + FEW


def test_projector_reads_on_when_its_queues_are_deleted(shared_platform, register_client):
    platform = shared_platform.platform
    ann = register_client(platform)
    before = ann.read("/v1/movies/3").json()["community"]["count"]
    shared_platform.empty_bus()
    at = ann.put("/v1/movies/3/rating", {"score": 7}).headers["Log-Position"]
    assert ann.read("/v1/movies/3", at).json()["community"]["count"] == before + 1
    assert_level_and_equal(platform)


def test_purged_messages_are_read_from_the_log_when_no_event_follows(shared_platform, importing):
    platform = shared_platform.platform
    before = ratings_in(shared_platform)
    projector = platform.processes["projector"].popen
    projector.send_signal(signal.SIGSTOP)
    assert importing().wait(PATIENCE_SECONDS) == 0
    broker.purge(shared_platform.bus_admin, shared_platform.virtual_host)
    projector.send_signal(signal.SIGCONT)
    assert_level_and_equal(platform)
    assert ratings_in(shared_platform) == before + FEW


@pytest.mark.parametrize("ratings", [FEW, MANY], indirect=True)
def test_messages_dropped_by_full_queues_are_read_from_the_log(shared_platform, importing, ratings):
    """Few are missing: gaps, filled one by one. Many: the worker leaves the bus for the log."""
    platform = shared_platform.platform
    before = ratings_in(shared_platform)
    broker.shorten(shared_platform.bus_admin, shared_platform.virtual_host, length=10)
    try:
        projector = platform.processes["projector"].popen
        projector.send_signal(signal.SIGSTOP)
        assert importing().wait(PATIENCE_SECONDS) == 0
        projector.send_signal(signal.SIGCONT)
        assert_level_and_equal(platform)
    finally:
        broker.lengthen(shared_platform.bus_admin, shared_platform.virtual_host)
    assert ratings_in(shared_platform) == before + int(ratings.name)


def test_projectors_follow_the_log_when_a_full_queue_stops_the_relay(
    shared_platform, register_client
):
    """Another subscriber's queue refuses messages, so the relay gets no confirms."""
    platform = shared_platform.platform
    before = ratings_in(shared_platform)
    with pika.BlockingConnection(pika.URLParameters(shared_platform.bus_url)) as connection:
        channel = connection.channel()
        arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
        channel.queue_declare("full", arguments=arguments)
        channel.queue_bind("full", topology.exchange(shared_platform.namespace), "#")
        ann = register_client(platform)
        answers = [ann.put(f"/v1/movies/{n}/rating", {"score": 7}) for n in range(1, 11)]
        at = answers[-1].headers["Log-Position"]
        assert len(ann.read("/v1/me/ratings", at).json()["items"]) == 10
        assert_level_and_equal(platform)
        channel.queue_delete("full")
    assert ratings_in(shared_platform) == before + 10


def test_read_models_are_rebuilt_when_redis_lost_everything(shared_platform, register_client):
    platform = shared_platform.platform
    ann = register_client(platform)
    at = ann.put("/v1/movies/3/rating", {"score": 7}).headers["Log-Position"]
    rated = ann.read("/v1/movies/3", at).json()["community"]["count"]
    assert rated > 0
    with Redis.from_url(shared_platform.redis_url) as redis:
        redis.flushall()
    assert ann.read("/v1/movies/3").status_code in {200, 404, 503}
    assert_level_and_equal(platform)
    until(lambda: ann.read("/v1/movies/3").status_code == 200)
    assert ann.read("/v1/movies/3").json()["community"]["count"] == rated


def wait_for_more(shared: SharedPlatform, running_import: "subprocess.Popen[bytes]") -> None:
    """Wait until projectors have applied more events, or the import has ended."""
    before = applied(shared)
    until(lambda: applied(shared) > before or running_import.poll() is not None)


def applied(shared: SharedPlatform) -> int:
    """How many events the movies model has applied."""
    key = f"{{movies.{shared.live_generation('movies')}.all}}:checkpoints"
    with Redis.from_url(shared.redis_url) as redis:
        return sum(int(offset) for offset in redis.hvals(key))


def ratings_in(shared: SharedPlatform) -> int:
    """How many ratings the trending model has counted."""
    key = f"{{trending.{shared.live_generation('trending')}.all}}:state:popular"
    with Redis.from_url(shared.redis_url) as redis:
        return sum(int(score) for _, score in redis.zrange(key, 0, -1, withscores=True))
