"""Commands whose database is lost in the middle of an answer, or refuses writes: 503."""

import os
from collections.abc import Iterator
from itertools import cycle

import pytest
from django.db import connection, connections

from tests.command_api.conftest import HEAT, PASSWORD
from tests.fixtures.tcp_proxy import TcpProxy, proxy_to

URLS = {"default": "MARQUEE_DATABASE_URL", "vault": "MARQUEE_VAULT_URL"}
SHARES = (0.0, 0.02, 0.2, 0.5, 0.8, 0.95)
"""Of the bytes of a whole answer."""


@pytest.fixture(params=URLS)
def proxied(request, api) -> Iterator[tuple[str, TcpProxy]]:
    """A database that is reached over a proxy, and the proxy."""
    database = connections[request.param]
    with proxy_to(os.environ[URLS[request.param]]) as proxy:
        host, _, port = proxy.url.rpartition("@")[2].partition("/")[0].partition(":")
        direct = {name: database.settings_dict[name] for name in ("HOST", "PORT")}
        database.close()
        database.settings_dict |= {"HOST": host, "PORT": port}
        yield request.param, proxy
        database.close()
        database.settings_dict |= direct


@pytest.fixture
def commands(api, register, ann):
    """Commands by the database that answers them."""
    register("eve")
    log_in = {"login": "eve", "password": PASSWORD}
    genres = cycle((["Drama"], ["Comedy"]))
    return {
        # It asks for nothing that is cached, and its stream's history grows.
        "default": lambda: api("PUT", "/v1/me/preferences", {"genres": next(genres)}, by=ann),
        "vault": lambda: api("POST", "/v1/tokens", log_in),
    }


def test_database_lost_in_an_answer_is_503(unlimited, commands, proxied):
    name, proxy = proxied
    command, database = commands[name], connections[name]
    assert command().status_code == 200
    before = proxy.bytes_passed
    assert command().status_code == 200
    whole = proxy.bytes_passed - before
    assert whole > 0
    for share in SHARES:
        proxy.cut_after(max(1, int(whole * share)))
        answer = command()
        assert answer.status_code == 503, (share, answer.content)
        assert answer.headers["Retry-After"] == "1"
        proxy.mend()
        database.close()
        assert command().status_code == 200


@pytest.mark.django_db(databases=["default", "vault"])
def test_read_only_database_is_503(api, ann):
    """As a standby is after a failover."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
    answer = api.rate(HEAT, 8, by=ann)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
