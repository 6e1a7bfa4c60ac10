"""Rate limit of log-ins: slows guessing, locks no owner out."""

from time import time

import pytest
from redis import Redis

from command_api.sessions import login_rate_limit
from infra import clients
from infra.config import config
from tests.command_api.conftest import PASSWORD, bearer

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def log_in(api):
    """Logs in from a given address."""

    def log_in(login="ann", password=PASSWORD, *, at=HOME):
        body = {"login": login, "password": password}
        return api._client.post("/v1/tokens", body, content_type="application/json", REMOTE_ADDR=at)

    return log_in


@pytest.fixture
def cheap(monkeypatch):
    """Replace the password check by a cheap one."""
    monkeypatch.setattr(
        "command_api.accounts.password_hashing.is_correct",
        lambda password, _kept: password == PASSWORD,
    )


def addresses(count):
    return [f"203.0.{nth // 250}.{nth % 250 + 1}" for nth in range(count)]


pytestmark = [
    pytest.mark.django_db(databases=["default", "vault"]),
    pytest.mark.usefixtures("cheap"),
]


def test_log_in_burst_is_refused_without_affecting_others(register, log_in):
    for name in ("ann", "bob"):
        register(name)
    assert log_in("bob", at=ELSEWHERE).status_code == 200
    answers = [log_in("ann", f"guess number {nth}", at=ELSEWHERE) for nth in range(200)]
    limit = config().throttle_login_per_minute
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) < 2 * limit
    # A few more than the limit are answered if a new minute began meanwhile.
    assert statuses[: limit - 1] == [401] * (limit - 1)
    assert statuses[-1] == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert answers[-1].headers["RateLimit-Remaining"] == "0"
    # Another user, from another address and from the same one; and the attacked user.
    assert log_in("bob").status_code == 200
    assert log_in("bob", at=ELSEWHERE).status_code == 200
    assert log_in("ann").status_code == 200


def test_log_in_attack_from_many_addresses_does_not_lock_the_owner_out(register, log_in):
    register("ann")
    assert log_in("ann").status_code == 200
    limit = config().throttle_account_per_hour
    statuses = [log_in("ann", "guess", at=at).status_code for at in addresses(limit + 20)]
    assert statuses[: limit - 1] == [401] * (limit - 1)
    assert statuses[-1] == 429
    assert log_in("ann").status_code == 200
    assert log_in("ann", at=ELSEWHERE).status_code == 429


def test_log_in_attempts_from_a_known_address_are_limited_too(register, log_in):
    register("ann")
    assert log_in("ann").status_code == 200
    statuses = [log_in("ann", "guess").status_code for _ in range(40)]
    assert statuses[-1] == 429
    assert statuses.count(401) < 2 * config().throttle_login_per_minute + 1


def test_log_in_limit_is_the_same_for_unknown_names(log_in):
    """Otherwise the refusal would reveal who has an account."""
    limit = config().throttle_account_per_hour
    statuses = [log_in("nobody", at=at).status_code for at in addresses(limit + 20)]
    assert (statuses[0], statuses[-1]) == (401, 429)


def test_log_in_limit_counts_equivalent_spellings_together(register, log_in):
    limit = config().throttle_account_per_hour
    names = ["ann", "ANN", "Ann"]
    spread = addresses(limit + 20)
    answers = [log_in(names[nth % 3], "guess", at=at) for nth, at in enumerate(spread)]
    assert answers[-1].status_code == 429


def test_wrong_password_does_not_make_an_address_known(register, log_in):
    register("ann")
    log_in("ann", "guess")
    assert clients.redis().keys("throttle:command:{login}:known:*") == []


def test_log_in_limit_stores_neither_name_nor_address_in_redis(register, log_in):
    register("ann")
    log_in("ann@example.org")
    keys = repr(clients.redis().keys("throttle:*"))
    assert "ann" not in keys
    [mark] = clients.redis().keys("throttle:command:{login}:known:*")
    assert 0 < clients.redis().ttl(mark) <= login_rate_limit.KNOWN_SECONDS
    assert "192.0" not in repr(clients.redis().zrange(mark, 0, -1))


def test_known_address_expires_after_a_month(register, log_in, monkeypatch):
    register("ann")
    log_in("ann")
    mark = login_rate_limit._mark("ann", HOME)
    assert clients.redis().zcount(mark.key, time(), "+inf") == 1
    clients.redis().zadd(mark.key, {mark.member: time() - 1, "another": time() - 1})
    answer = log_in("ann", at=HOME)
    assert answer.status_code == 200
    assert clients.redis().zrange(mark.key, 0, -1) == [mark.member.encode()]


@pytest.mark.parametrize("end", ["erased", "another password"])
def test_known_addresses_are_forgotten_with_the_password_and_the_user(api, register, log_in, end):
    register("ann")
    log_in("ann@example.org")
    me = bearer(log_in("ann"))
    assert len(clients.redis().keys("throttle:command:{login}:known:*")) == 2
    if end == "erased":
        assert api("DELETE", "/v1/me", {"password": PASSWORD}, by=me).status_code == 202
    else:
        body = {"old": PASSWORD, "new": "a whiter shade of pale"}
        assert api("POST", "/v1/me/password", body, by=me).status_code == 204
    assert clients.redis().keys("throttle:command:{login}:known:*") == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"login": 7}', b"\xff", b"[" * 50_000])
def test_log_in_with_an_invalid_body_counts_as_an_attempt(api, body):
    before = int(time()) // 60
    statuses = [api("POST", "/v1/tokens", body).status_code for _ in range(30)]
    assert statuses[0] in (400, 422)
    if int(time()) // 60 == before:
        assert statuses[-1] == 429


def test_log_in_is_refused_as_unavailable_without_redis(register, log_in, monkeypatch):
    register("ann")
    with Redis(port=1) as unreachable:
        monkeypatch.setattr(clients, "redis", lambda: unreachable)
        answer = log_in("ann")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"


def test_logins_longer_than_any_address_count_as_one_name(api, log_in):
    """They are nobody's, and are not normalised to be told apart: that takes quadratic time."""
    limit = config().throttle_account_per_hour
    logins = [f"{nth}" + "\u0301\u0323" * 200 for nth in range(limit + 20)]
    statuses = [
        log_in(login, at=at).status_code
        for login, at in zip(logins, addresses(len(logins)), strict=True)
    ]
    assert statuses[: limit - 1] == [422] * (limit - 1)
    assert statuses[-1] == 429
