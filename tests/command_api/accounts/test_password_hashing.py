"""Password hashing: equal time for known and unknown names, limited concurrency."""

from threading import Event, Semaphore, Thread

import pytest
from django.contrib.auth.hashers import check_password

from command_api.accounts import password_hashing
from infra.config import config
from infra.errors import Unavailable
from tests.command_api.conftest import ALIEN

HASHING_SLOTS = config().server_threads // 2


@pytest.fixture
def cheap_argon2():
    """Keep the real costs: they are the subject here."""


@pytest.fixture
def counted(monkeypatch):
    """The hashes that were compared, with their costs."""
    costs = []

    def compare(password, password_hash):
        costs.append(password_hash.split("$")[1:4])
        return check_password(password, password_hash)

    monkeypatch.setattr(password_hashing, "check_password", compare)
    return costs


def test_password_check_costs_the_same_without_an_account(counted):
    password_hash = password_hashing.hash_password("correct horse battery")
    assert password_hashing.is_correct("correct horse battery", password_hash)
    assert not password_hashing.is_correct("correct horse staple", password_hash)
    assert not password_hashing.is_correct("correct horse battery", None)
    assert counted[0] == counted[1] == counted[2]
    assert counted[0][0] == "argon2id"


@pytest.fixture
def crowd(monkeypatch):
    """All hashing slots are taken until the fixture's function is called."""
    go, arrived = Event(), Semaphore(0)

    def slow(password, password_hash):
        arrived.release()
        return go.wait(60)

    monkeypatch.setattr(password_hashing, "check_password", slow)
    threads = [
        Thread(target=password_hashing.is_correct, args=("x", "y")) for _ in range(HASHING_SLOTS)
    ]

    def end():
        go.set()
        for thread in threads:
            thread.join(60)

    for thread in threads:
        thread.start()
    for _ in threads:
        assert arrived.acquire(timeout=60)
    yield end
    end()


def test_password_hashing_is_refused_while_all_slots_are_taken(crowd):
    with pytest.raises(Unavailable):
        password_hashing.is_correct("x", "y")
    with pytest.raises(Unavailable):
        password_hashing.hash_password("x")
    crowd()
    assert password_hashing.is_correct("x", "y")


@pytest.mark.django_db(databases=["default", "vault"])
def test_burst_of_log_ins_does_not_block_other_commands(api, ann, register, log_in, crowd):
    for answer in (log_in(), register()):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert api.rate(ALIEN, 8, by=ann).status_code == 200
    crowd()
    assert register().status_code == 201
