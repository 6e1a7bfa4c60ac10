"""Redis users of the query API on a server: what each may do, and every command that it may not."""

import pytest
from redis import Redis

from events.notifications import log_channel
from infra.services import as_cache, as_query
from tests.fixtures import redis_users
from tests.fixtures.redis_users import ENTRY, LOGIN_COUNTER, READ_MODEL, Users


@pytest.fixture
def users(redis_url):
    with (
        Redis.from_url(redis_url) as default,
        Redis.from_url(as_query(redis_url)) as query,
        Redis.from_url(as_cache(redis_url)) as cache,
    ):
        redis_users.fill(default)
        yield Users(default, query, cache)


@pytest.mark.parametrize("key", redis_users.FOREIGN_TO_QUERY)
@pytest.mark.parametrize("command", redis_users.ON_ANY_KEY)
def test_query_user_writes_no_foreign_key(users, command, key):
    redis_users.assert_refused_on_key(users.query, users.default, command, key)


@pytest.mark.parametrize("command", redis_users.REFUSED_TO_QUERY)
def test_query_user_runs_no_script_and_administers_nothing(users, command):
    redis_users.assert_refused(users.query, command)


@pytest.mark.parametrize("key", redis_users.FOREIGN_TO_CACHE)
@pytest.mark.parametrize("command", redis_users.ON_FOREIGN_KEYS_OF_CACHE)
def test_cache_user_reaches_no_foreign_key(users, command, key):
    redis_users.assert_refused_on_key(users.cache, users.default, command, key)


@pytest.mark.parametrize("command", redis_users.REFUSED_TO_CACHE)
def test_cache_user_runs_nothing_else(users, command):
    redis_users.assert_refused(users.cache, command)


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
    redis_users.assert_refused(users.cache, f"EVAL {body} 0")


def test_query_user_reads_all_and_counts(users):
    redis_users.assert_query_user_reads_and_counts(users)


def test_cache_user_stores_and_releases_in_one_trip(users):
    redis_users.assert_cache_user_stores_and_releases(users)


def test_no_command_of_the_server_is_allowed_by_oversight(users):
    redis_users.assert_nothing_else_is_allowed(users)
