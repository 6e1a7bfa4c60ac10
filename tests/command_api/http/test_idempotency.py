"""Idempotency keys: a command that is sent twice is done once."""

import threading

import pytest
from django.db import connection

from command_api.http import idempotency
from tests.command_api.conftest import ALIEN, HEAT, Api, fields, in_thread, log_rows
from tests.fixtures.waiting import until

WIRE = ("Log-Position", "Content-Type")


def wire(answer):
    return answer.status_code, answer.content, [answer.headers.get(name) for name in WIRE]


def stored_answers():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM answered_commands")
        return cursor.fetchone()[0]


def test_idempotency_key_repeats_the_first_answer(api, ann):
    first = api.rate(ALIEN, 8, by=ann, Idempotency_Key="k")
    api.rate(ALIEN, 3, by=ann)
    repeated = api.rate(ALIEN, 8, by=ann, Idempotency_Key="k")
    assert wire(repeated) == wire(first)
    assert "Idempotency-Replayed" not in first.headers
    assert repeated.headers["Idempotency-Replayed"] == "true"
    assert len(log_rows()) == 2


def test_idempotency_key_repeats_an_answer_without_a_body(api, ann):
    api.rate(ALIEN, 8, by=ann)
    path = f"/v1/movies/{ALIEN}/rating"
    first, repeated = (api("DELETE", path, by=ann, Idempotency_Key="k") for _ in range(2))
    assert wire(repeated) == wire(first)
    assert first.status_code == 204


@pytest.mark.parametrize(
    ("method", "movie", "body"), [("PUT", ALIEN, 9), ("PUT", HEAT, 8), ("DELETE", ALIEN, None)]
)
def test_idempotency_key_refuses_another_command(api, ann, method, movie, body):
    api.rate(ALIEN, 8, by=ann, Idempotency_Key="k")
    path = f"/v1/movies/{movie}/rating"
    other = api(method, path, body and {"score": body}, by=ann, Idempotency_Key="k")
    assert (other.status_code, fields(other)) == (422, ["Idempotency-Key"])
    assert len(log_rows()) == 1


def test_idempotency_keys_are_separate_by_user(api, person):
    for someone in (person(), person()):
        assert api.rate(ALIEN, 8, by=someone, Idempotency_Key="k").status_code == 200
    assert len(log_rows()) == 2


def test_idempotency_key_stores_only_successes(api, ann):
    assert api.rate(999, 8, by=ann, Idempotency_Key="k").status_code == 404
    assert api.rate(ALIEN, 8, by=ann, Idempotency_Key="k").status_code == 200
    assert stored_answers() == 1


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_idempotency_key_that_is_malformed_is_refused(api, ann, key):
    answer = api.rate(ALIEN, 8, by=ann, Idempotency_Key=key)
    assert (answer.status_code, fields(answer)) == (422, ["Idempotency-Key"])
    assert log_rows() == []


def test_idempotency_key_expires(api, ann):
    api.rate(ALIEN, 8, by=ann, Idempotency_Key="k")
    assert idempotency.delete_expired() == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE answered_commands SET made_at = now() - interval '25 hours'")
    assert api.rate(ALIEN, 3, by=ann, Idempotency_Key="k").json()["score"] == 3
    with connection.cursor() as cursor:
        cursor.execute("UPDATE answered_commands SET made_at = now() - interval '25 hours'")
    assert idempotency.delete_expired() == 1
    assert stored_answers() == 0


def test_concurrent_duplicates_are_done_once(api, ann):
    answers = []
    start = threading.Barrier(6)

    def rate():
        start.wait()
        answers.append(wire(Api().rate(ALIEN, 8, by=ann, Idempotency_Key="k")))

    threads = [threading.Thread(target=in_thread(rate)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == 6
    assert len(set(map(repr, answers))) == 1
    assert answers[0][0] == 200
    assert len(log_rows()) == 1


def test_duplicate_is_executed_when_the_first_one_fails(api, ann):
    """The second insert waits on the unique index until the first transaction ends."""
    answers = []
    rival = threading.Thread(
        target=in_thread(
            lambda: answers.append(Api().rate(ALIEN, 8, by=ann, Idempotency_Key="k").status_code)
        )
    )
    first = idempotency.idempotent(f"user:{ann.user_id}", "k", method="PUT", path="/", body=b"")

    def fail():
        rival.start()
        until(is_session_waiting_for_a_lock)
        assert answers == []
        raise LookupError

    with pytest.raises(LookupError):
        first.run(fail)
    rival.join(timeout=60)
    assert answers == [200]
    assert len(log_rows()) == 1


def is_session_waiting_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def test_registration_sent_twice_with_a_key_is_done_once(register):
    first = register("ann", headers={"Idempotency-Key": "k"})
    repeated = register("ann", headers={"Idempotency-Key": "k"})
    assert first.status_code == 201
    assert wire(repeated) == wire(first)
    assert len(log_rows()) == 1
    other = register("ann", password="another password", headers={"Idempotency-Key": "k"})
    assert (other.status_code, fields(other)) == (422, ["Idempotency-Key"])


def test_idempotency_keys_of_registrations_are_separate_by_address(register):
    for name in ("ann", "bob"):
        assert register(name, headers={"Idempotency-Key": "k"}).status_code == 201


def test_idempotency_row_of_a_registration_hides_the_address(register):
    register("ann", email="secret@example.org", headers={"Idempotency-Key": "k"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT scope, key, encode(fingerprint, 'escape') FROM answered_commands")
        assert "secret" not in repr(cursor.fetchall())
