"""In-memory Redis holds what a real Redis holds after the same writes."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from projectors.storage.shard import Shard, Write, pack
from projectors.verification.fold import InMemoryRedis, UnsupportedWrite
from projectors.verification.snapshot import read

KEYS = {kind: [f"{kind}{n}" for n in (1, 2)] for kind in ("text", "hash", "tally", "set", "ranks")}
WORDS = st.sampled_from(["a", "b", "", "7", "é", "with space\r\n"])
NUMBERS = st.integers(-(2**53), 2**53)
SMALL = st.integers(-1000, 1000)
SCORES = st.one_of(SMALL, st.floats(-1e6, 1e6).map(repr))
_nth = count(1)


def command(name: str, kind: str, *arguments: st.SearchStrategy, most: int = 1):
    """Commands with ``arguments`` repeated up to ``most`` times, on keys of one kind."""
    repeated = st.lists(st.tuples(*arguments), min_size=1, max_size=most)
    return st.tuples(st.sampled_from(KEYS[kind]), repeated).map(
        lambda drawn: (name, drawn[0], *(part for group in drawn[1] for part in group))
    )


WRITES: st.SearchStrategy[list[Write]] = st.lists(
    st.one_of(
        command("SET", "text", st.one_of(WORDS, NUMBERS)),
        command("HSET", "hash", WORDS, st.one_of(WORDS, NUMBERS), most=3),
        command("HDEL", "hash", WORDS, most=3),
        command("HINCRBY", "tally", WORDS, NUMBERS),
        command("HDEL", "tally", WORDS, most=3),
        command("SADD", "set", WORDS, most=3),
        command("SREM", "set", WORDS, most=3),
        command("ZADD", "ranks", SCORES, WORDS, most=3),
        command("ZINCRBY", "ranks", SCORES, WORDS),
        command("ZREM", "ranks", WORDS, most=3),
        *(st.tuples(st.just("DEL"), st.sampled_from(keys)) for keys in KEYS.values()),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def redis(_redis_server) -> Iterator[Redis]:
    with Redis.from_url(_redis_server) as client:
        yield client


@given(WRITES)
@settings(max_examples=300, deadline=None)
def test_in_memory_redis_holds_what_redis_holds(redis, writes):
    shard = Shard(redis, model="fold", generation=next(_nth), name="all")
    on_shard = [(name, shard.state(key), *rest) for name, key, *rest in writes]
    shard.apply(0, first=1, last=1, packed=[pack(on_shard)])
    folded = InMemoryRedis()
    folded.apply(on_shard)
    assert dict(folded.values) == dict(read(redis, shard).state)


@pytest.mark.parametrize(
    ("writes", "reason"),
    [
        ([("EXPIRE", "k", 5)], "EXPIRE"),
        ([("SET", "k", "v", "EX", 5)], "options"),
        ([("HSET", "k", "field")], "pairs"),
        ([("ZADD", "k", "NX", 1, "m")], "pairs"),
        ([("SADD", "k")], "without arguments"),
        ([("SADD", "k", "m"), ("HSET", "k", "f", "v")], "RedisSet"),
        ([("SET", "k", b"bytes")], "bytes"),
        ([("SET", "k", 2**53 + 1)], "would round"),
        ([("HINCRBY", "k", "f", "1.5")], "no integer"),
        ([("HINCRBY", "k", "f", "01")], "writes an integer"),
        ([("HSET", "k", "f", str(2**63 - 1)), ("HINCRBY", "k", "f", 1)], "overflow"),
        ([("ZADD", "k", "high", "m")], "no number"),
        ([("ZADD", "k", "nan", "m")], "nan"),
    ],
)
def test_in_memory_redis_refuses_writes_that_fail_in_a_script(writes, reason):
    with pytest.raises(UnsupportedWrite, match=reason):
        InMemoryRedis().apply(writes)
