"""Redis pipeline: the same replies as redis-py's, errors and lost connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, ResponseError

from infra.clients import refuses_writes
from infra.redis_pipeline import ReadPipeline


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def redis(redis_url, request):
    with Redis.from_url(redis_url, protocol=request.param) as redis:
        yield redis


def ask(pipe):
    pipe.get("word")
    pipe.get("nothing")
    pipe.hgetall("hash")
    pipe.hgetall("nothing")
    pipe.hget("hash", "a")
    pipe.hget("hash", "z")
    pipe.hmget("hash", ["a", "z", 1])
    pipe.incr("count")
    pipe.expire("count", 60)


def test_pipeline_replies_as_redis_py_does(redis):
    redis.set("word", "é\r\n".encode() * 10_000)
    redis.hset("hash", mapping={"a": b"\x00\xff", "b": "", 1: 2})
    read_pipeline, redis_pipeline = ReadPipeline(), redis.pipeline(transaction=False)
    ask(read_pipeline)
    ask(redis_pipeline)
    assert len(read_pipeline) == 9
    first, second = read_pipeline.execute(redis), redis_pipeline.execute()
    assert first[:7] == second[:7]
    assert (first[7], second[7]) == (1, 2)
    assert bool(first[8]) is second[8] is True
    assert 0 < redis.ttl("count") <= 60


def test_empty_pipeline_returns_nothing(redis):
    assert ReadPipeline().execute(redis) == []


def test_next_pipeline_is_in_step_after_an_error(redis):
    redis.set("word", "x")
    redis.set("other", "y")
    wrong = ReadPipeline()
    wrong.get("other")
    wrong.hgetall("word")
    wrong.get("other")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        wrong.execute(redis)
    right = ReadPipeline()
    right.get("word")
    assert right.execute(redis) == [b"x"]


def test_pipeline_reconnects_after_a_lost_connection(redis):
    pipe = ReadPipeline()
    pipe.get("word")
    pipe.execute(redis)
    redis.set("word", "x")
    for client in redis.client_list():
        if client["id"] != str(redis.client_id()):
            redis.client_kill_filter(_id=client["id"])
    assert pipe.execute(redis) == [b"x"]


def test_threads_have_connections_of_their_own(redis):
    for number in range(50):
        redis.set(f"key:{number}", number)

    def read(number):
        pipe = ReadPipeline()
        pipe.get(f"key:{number}")
        return pipe.execute(redis)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(50))) == [[str(n).encode()] for n in range(50)]


def test_pipeline_without_redis_raises_connection_error(redis_url):
    pipe = ReadPipeline()
    pipe.get("word")
    with Redis(port=1) as unreachable, pytest.raises(RedisConnectionError):
        pipe.execute(unreachable)


def test_reads_are_answered_and_counters_fail_while_redis_refuses_writes(redis, refusing):
    redis.hset("hash", "a", "b")
    pipe = ReadPipeline()
    pipe.incr("count")
    pipe.expire("count", 60)
    pipe.hgetall("hash")
    with refusing():
        counted, _, read = pipe.execute(redis)
        assert refuses_writes(counted)
        assert read == {b"a": b"b"}
    assert pipe.execute(redis)[0] == 1


def test_counter_without_permission_is_an_error(redis, query_redis_url):
    pipe = ReadPipeline()
    pipe.incr("throttle:command:x")
    with Redis.from_url(query_redis_url) as query, pytest.raises(NoPermissionError):
        pipe.execute(query)
