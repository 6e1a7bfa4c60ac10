"""Check of hash slots: all keys of each command are found."""

import pytest
from redis import Redis

from projectors.storage.shard import pack
from tests.fixtures.hash_slots import COUNTED_KEYS, KEYS, STORES_UNDER_FIRST, keys_of, slots

FIRST_KEY_ONLY = {
    *("GEORADIUS", "GEORADIUSBYMEMBER", "MIGRATE", "SORT", "SORT_RO", "XREAD", "XREADGROUP"),
    *("SSUBSCRIBE", "SUNSUBSCRIBE"),
}
"""Commands whose further keys depend on options; our code sends none of them."""


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("GET", "a"), [b"a"]),
        (("HMGET", "a", "1", "2"), [b"a"]),
        (("unlink", b"a", "b"), [b"a", b"b"]),
        (("MSET", "a", 1, "b", 2), [b"a", b"b"]),
        (("RENAME", "a", "b"), [b"a", b"b"]),
        (("BLPOP", "a", "b", 0), [b"a", b"b"]),
        (("EVAL", "return 1", 2, "a", "b", "c"), [b"a", b"b"]),
        (("EVALSHA", "f00", 0, "c"), []),
        (
            ("EVALSHA", "f00", 1, "a", 7, pack([("HSET", "b", 1, 2), ("DEL", "c")])),
            [b"a", b"b", b"c"],
        ),
        (("ZUNIONSTORE", "a", 2, "b", "c", "WEIGHTS", 1, 2), [b"a", b"b", b"c"]),
        (("PUBLISH", "channel", "a"), []),
    ],
)
def test_keys_of_a_command(words, keys):
    assert keys_of(words) == keys


def test_atomic_commands_of_several_tags_have_several_slots():
    assert len(slots([("MULTI",), ("GET", "{a}:1"), ("SET", "{a}:2", 1), ("EXEC",)])) == 1
    assert len(slots([("MULTI",), ("GET", "{a}:1"), ("SET", "{b}:1", 1), ("EXEC",)])) == 2
    assert len(slots([("DEL", "{a}:1", "a")])) == 1
    assert len(slots([("EVAL", "return 1", 2, "{a}:1", "{b}:1")])) == 2


def test_every_multi_key_command_of_the_server_is_known(redis_url):
    with Redis.from_url(redis_url) as redis:
        commands = redis.command()
    movable = {name.upper() for name, its in commands.items() if "movablekeys" in its["flags"]}
    assert movable - {*COUNTED_KEYS, *STORES_UNDER_FIRST} <= FIRST_KEY_ONLY
    words = [f"w{number}" for number in range(9)]
    for name, its in commands.items():
        first, last, step = its["first_key_pos"], its["last_key_pos"], its["step_count"]
        if name.upper() in movable | FIRST_KEY_ONLY or first == last:
            continue
        assert words[KEYS[name.upper()]] == words[first : last + 1 or None : step], name
