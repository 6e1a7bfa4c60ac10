"""Redis of the embedded platform: the query API's users have the same rights as elsewhere."""

from collections.abc import Iterator

import pytest
from redis import Redis

from infra.embedded.engines import environment, redis_member
from infra.embedded.layout import Layout, layout_of
from tests.fixtures import redis_users
from tests.fixtures.redis_users import Users
from tests.fixtures.waiting import until


@pytest.fixture(scope="module")
def layout(open_path, embedded_engines) -> Iterator[Layout]:
    """Directory in which only Redis runs."""
    layout = layout_of(open_path / "redis-alone")
    member = redis_member(layout)
    member.start()
    try:
        until(lambda: member.is_ready and member.is_ready())
        yield layout
    finally:
        member.process.stop()


@pytest.fixture
def users(layout) -> Iterator[Users]:
    """Connections as each user, with the URLs that the platform's processes get."""
    urls = environment(layout, query_url="")
    with (
        Redis.from_url(urls["MARQUEE_REDIS_URL"]) as default,
        Redis.from_url(urls["MARQUEE_QUERY_REDIS_URL"]) as query,
        Redis.from_url(urls["MARQUEE_CACHE_REDIS_URL"]) as cache,
    ):
        default.flushall()
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


def test_users_of_embedded_redis_may_do_their_work(users):
    redis_users.assert_query_user_reads_and_counts(users)
    redis_users.assert_cache_user_stores_and_releases(users)


def test_no_command_of_the_embedded_server_is_allowed_by_oversight(users):
    redis_users.assert_nothing_else_is_allowed(users)
