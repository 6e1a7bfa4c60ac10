"""Redis users of the query API: what each may do, and every command that it may not."""

from typing import NamedTuple

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from events.notifications import log_channel, waiting_readers_channel
from infra.services import as_cache, as_query

READ_MODEL = "{movies.1.all}:state:movies"
OWN_COUNTER = "throttle:query:{read:ann}:7"
LOGIN_COUNTER = "throttle:command:{login:ann}:7"
ENTRY = "cache:{pages.1.a}"
RIGHTS = r"permission|can.t access|can.t run|not allowed"


class Users(NamedTuple):
    """Connections to one Redis as each of its users."""

    default: Redis
    query: Redis
    cache: Redis


@pytest.fixture
def users(redis_url):
    with (
        Redis.from_url(redis_url) as default,
        Redis.from_url(as_query(redis_url)) as query,
        Redis.from_url(as_cache(redis_url)) as cache,
    ):
        default.hset(READ_MODEL, "1", "Alien")
        default.set(LOGIN_COUNTER, 9)
        default.set(ENTRY, "page")
        yield Users(default, query, cache)


ON_ANY_KEY = (
    "SET {key} 0",
    "GETSET {key} 0",
    "GETDEL {key}",
    "GETEX {key} PERSIST",
    "APPEND {key} 0",
    "SETRANGE {key} 0 0",
    "MSET {key} 0",
    "DEL {key}",
    "UNLINK {key}",
    "EXPIRE {key} 0",
    "PERSIST {key}",
    "INCRBY {key} 1",
    "DECR {key}",
    "RENAME {key} {key}:2",
    "RESTORE {key} 0 x",
    "COPY {key} {key}:2",
    "MOVE {key} 1",
    "SORT {key} STORE {key}:2",
    "HSET {key} 1 Heat",
    "HINCRBY {key} 1 1",
    "HDEL {key} 1",
    "LPUSH {key} 1",
    "SADD {key} 1",
    "ZADD {key} 1 1",
    "XADD {key} * 1 1",
    "PFADD {key} 1",
    "SETBIT {key} 0 0",
    "GEOADD {key} 1 1 1",
)
"""Writes that no user of the query API may make outside its own keys."""
SCRIPTS = (
    "EVALSHA 0000000000000000000000000000000000000000 0",
    "EVAL_RO return(1) 0",
    "EVALSHA_RO 0000000000000000000000000000000000000000 0",
    "SCRIPT LOAD return(1)",
    "SCRIPT FLUSH",
    "FCALL f 0",
    "FCALL_RO f 0",
    "FUNCTION LOAD x",
    "FUNCTION DELETE x",
    "FUNCTION FLUSH",
)
ADMINISTRATION = (
    "ACL SETUSER query +@all",
    "ACL LIST",
    "BGREWRITEAOF",
    "BGSAVE",
    "CLIENT KILL TYPE normal",
    "CLIENT LIST",
    "CLIENT PAUSE 1000",
    "CLUSTER RESET",
    "CONFIG GET *",
    "CONFIG SET appendonly no",
    "DEBUG SLEEP 0",
    "FAILOVER",
    "FLUSHALL",
    "FLUSHDB",
    "KEYS *",
    "LATENCY RESET",
    "MIGRATE 127.0.0.1 1 x 0 1",
    "MODULE LIST",
    "MONITOR",
    "REPLICAOF NO ONE",
    "SAVE",
    "SHUTDOWN",
    "SLOWLOG GET",
    "SWAPDB 0 1",
)
CHANNELS = (
    f"PUBLISH {log_channel()} 1",
    f"SUBSCRIBE {log_channel()}",
    "PSUBSCRIBE *",
)


def assert_refused(user, command):
    with pytest.raises(ResponseError, match=RIGHTS):
        user.execute_command(*command.split())


@pytest.mark.parametrize("key", [READ_MODEL, LOGIN_COUNTER, ENTRY, "x"])
@pytest.mark.parametrize("command", ON_ANY_KEY)
def test_query_user_writes_no_foreign_key(users, command, key):
    before = users.default.dump(key)
    assert_refused(users.query, command.format(key=key))
    assert users.default.dump(key) == before


@pytest.mark.parametrize(
    "command",
    [
        *("EVAL return(1) 0", "EVAL return(redis.call('GET',KEYS[1])) 1 x"),
        *(*SCRIPTS, *ADMINISTRATION, *CHANNELS),
        *(f"SET {OWN_COUNTER} 0", f"DEL {OWN_COUNTER}", f"GETDEL {OWN_COUNTER}"),
    ],
)
def test_query_user_runs_no_script_and_administers_nothing(users, command):
    assert_refused(users.query, command)


@pytest.mark.parametrize("key", [READ_MODEL, LOGIN_COUNTER, OWN_COUNTER, "x"])
@pytest.mark.parametrize("command", [*ON_ANY_KEY, "GET {key}", "HGETALL {key}", "EXISTS {key}"])
def test_cache_user_reaches_no_foreign_key(users, command, key):
    before = users.default.dump(key)
    assert_refused(users.cache, command.format(key=key))
    assert users.default.dump(key) == before


@pytest.mark.parametrize(
    "command",
    [
        *(*SCRIPTS, *ADMINISTRATION, *CHANNELS),
        *(f"PUBLISH {waiting_readers_channel()} movies", "SCAN 0", "DBSIZE", "RANDOMKEY"),
        *(f"EXPIRE {ENTRY} 9", f"INCRBY {ENTRY} 1", f"HSET {ENTRY} 1 1", f"RENAME {ENTRY} cache:b"),
        *("MULTI", "WATCH cache:a"),
    ],
)
def test_cache_user_runs_nothing_else(users, command):
    assert_refused(users.cache, command)


@pytest.mark.parametrize(
    "body",
    [
        f"redis.call('DEL','{READ_MODEL}')",
        "redis.call('GET','x')",
        f"redis.call('SET','{LOGIN_COUNTER}',0)",
        f"redis.call('HSET','{ENTRY}',1,1)",
        f"redis.call('PUBLISH','{log_channel()}',1)",
        "redis.call('FLUSHALL')",
    ],
)
def test_scripts_of_the_cache_user_have_its_rights(users, body):
    assert_refused(users.cache, f"EVAL {body} 0")


def test_query_user_reads_all_and_counts(users):
    assert users.query.hget(READ_MODEL, "1") == b"Alien"
    assert users.query.get(ENTRY) == b"page"
    with users.query.pipeline(transaction=True) as pipe:
        pipe.incr(OWN_COUNTER, 2)
        pipe.expire(OWN_COUNTER, 60)
        pipe.get(LOGIN_COUNTER)
        assert pipe.execute() == [2, True, b"9"]
    assert users.query.publish(waiting_readers_channel(), "movies") == 0
    assert list(users.query.scan_iter("cache:*")) == [ENTRY.encode()]


def test_cache_user_stores_and_releases_in_one_trip(users):
    assert users.cache.set(f"{ENTRY}:turn", "token", nx=True, px=60_000)
    script = "redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[2], ARGV[1])"
    assert users.cache.eval(script, 2, f"{ENTRY}:turn", ENTRY, "new")
    assert (users.cache.get(f"{ENTRY}:turn"), users.cache.get(ENTRY)) == (None, b"new")


def arities(default):
    """Every command and subcommand of the server, with its number of words."""
    for name, command in default.command().items():
        subcommands = [(sub[0].decode(), sub[1]) for sub in command["subcommands"]]
        yield from subcommands or [(name, command["arity"])]


def allowed(default, user, word):
    """Every command that a user may run with this word as all its arguments."""
    names = set()
    for name, arity in arities(default):
        words = name.split("|")
        words += [word] * (abs(arity) - len(words))
        if default.acl_dryrun(user, *words) == b"OK":
            names.add(name)
    return names


def in_category(default, category):
    return {
        name.decode() if isinstance(name, bytes) else name for name in default.acl_cat(category)
    }


def test_no_command_of_the_server_is_allowed_by_oversight(users):
    """Also those that a later version adds: each is tried, with a foreign and with an own key."""
    write, connection, scripting = (
        in_category(users.default, name) for name in ("write", "connection", "scripting")
    )
    assert allowed(users.default, "query", "x") & write == set()
    assert allowed(users.default, "query", OWN_COUNTER) & write == {"incrby", "expire"}
    assert allowed(users.default, "query", "x") & scripting == set()
    assert allowed(users.default, "cache", ENTRY) - connection == {"get", "set", "del", "eval"}
    assert allowed(users.default, "cache", "x") - connection <= {"eval"}
