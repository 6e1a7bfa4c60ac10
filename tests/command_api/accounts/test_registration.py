"""Registration: ends with an account or with free names."""

import threading
from time import sleep

import pytest
from django.db import connection, connections

from command_api.event_store import store
from command_api.tasks import sweep_reservations
from events.catalogue import UserRegistered
from events.position_token import decode_positions
from events.vault import subjects
from tests.command_api.conftest import ALIEN, Api, bearer, fields, in_thread, log_rows


def states():
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT state FROM subjects")
        return [state for (state,) in cursor.fetchall()]


def expire_reservations():
    with connections["vault"].cursor() as cursor:
        cursor.execute("UPDATE subjects SET reserved_at = now() - interval '61 seconds'")


@pytest.fixture
def log_is_broken(api):
    """Appends fail until the fixture's function is called."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE partitions RENAME TO gone")

    def mend():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO partitions")

    return mend


@pytest.fixture
def activation_is_broken(api):
    """Activations fail until the fixture's function is called."""
    with connections["vault"].cursor() as cursor:
        cursor.execute("ALTER TABLE subjects ADD CONSTRAINT broken CHECK (state <> 'active')")

    def mend():
        with connections["vault"].cursor() as cursor:
            cursor.execute("ALTER TABLE subjects DROP CONSTRAINT broken")

    return mend


def test_registration_opens_an_account(register):
    answer = register("Ann", genres=["Comedy", "Drama"])
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "username": "Ann"}
    [position] = decode_positions(answer.headers["Log-Position"])
    assert store().heads()[position.partition] == position.offset
    assert [type_ for type_, _ in log_rows()] == ["user-registered.v1", "preferences-changed.v1"]
    assert states() == ["active"]


def test_registration_leaves_no_personal_text_in_the_log(register, log_in):
    register("Annabella", email="secret@example.org", password="a very secret password")
    log_in("Annabella", "a very secret password")
    everything = " ".join(data for _, data in log_rows()).casefold()
    for personal in ("annabella", "secret", "example.org"):
        assert personal not in everything


def test_registered_names_are_decrypted_with_the_vaults_key(register):
    [position] = decode_positions(register("Ann").headers["Log-Position"])
    event = store().page(position.partition, after=position.offset - 1, limit=1)[0].event
    assert isinstance(event, UserRegistered)
    opened = {
        field: subjects.decrypt(getattr(event, field), subject=event.user_id, field=field)
        for field in ("username", "email")
    }
    assert opened == {"username": "Ann", "email": "Ann@example.org"}


@pytest.mark.parametrize(
    ("username", "email", "taken"),
    [
        ("ANN", "other@example.org", ["username"]),
        ("bob", "ANN@Example.org", ["email"]),
        ("Ann", "ann@example.org", ["username", "email"]),
    ],
)
def test_registration_refuses_names_that_look_like_taken_ones(register, username, email, taken):
    register("ann")
    answer = register(username, email=email)
    assert (answer.status_code, fields(answer)) == (409, taken)
    assert len(log_rows()) == len(states()) == 1


BUCHER = "eve@b\u00fccher.example"
BUCHER_ASCII = "eve@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (BUCHER, BUCHER_ASCII),
        (BUCHER_ASCII, BUCHER),
        (BUCHER, "Eve@XN--BCHER-KVA.example"),
        ("eve@stra\u00dfe.example", "eve@xn--strae-oqa.example"),
        ("eve@\u4f8b\u3048.jp", "eve@xn--r8jz45g.jp"),
        ("eve@cafe\u0301.example", "eve@CAFÉ.example"),
    ],
)
def test_spellings_of_one_address_are_one_account(register, log_in, first, second):
    assert register("eve", email=first).status_code == 201
    answer = register("other", email=second)
    assert (answer.status_code, fields(answer)) == (409, ["email"])
    assert [log_in(spelling).status_code for spelling in (first, second)] == [200, 200]
    assert states() == ["active"]


def test_address_is_stored_in_its_normal_form(register):
    [position] = decode_positions(register("eve", email=BUCHER).headers["Log-Position"])
    event = store().page(position.partition, after=position.offset - 1, limit=1)[0].event
    assert isinstance(event, UserRegistered)
    email = subjects.decrypt(event.email, subject=event.user_id, field="email")
    assert email == BUCHER_ASCII


@pytest.mark.parametrize(
    "email", ["eve@b\u200b.example", "eve@\u202eb.example", "e\u2060@b.example"]
)
def test_address_with_hidden_characters_is_refused(register, email):
    answer = register("eve", email=email)
    assert (answer.status_code, fields(answer)) == (422, ["email"])


def test_registration_of_taken_names_makes_no_statement_fail(register, failed_statements):
    """A failing statement would be in PostgreSQL's log, with the password hash."""
    register("ann")
    for username, email in (("ANN", "a@example.org"), ("bob", "ann@example.org"), ("ann", None)):
        assert register(username, email=email).status_code == 409
    expire_reservations()
    assert register("Ann").status_code == 409
    assert failed_statements == []


def test_concurrent_registrations_of_one_name_have_one_winner(api):
    body = {"username": "ann", "password": "correct horse battery"}
    statuses: list[int] = []

    def register(nth):
        account = body | {"email": f"ann{nth}@example.org"}
        answer = Api()("POST", "/v1/accounts", account)
        while answer.status_code == 503:  # all hashing slots are taken
            sleep(int(answer.headers["Retry-After"]))
            answer = Api()("POST", "/v1/accounts", account)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=in_thread(register), args=(nth,)) for nth in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert sorted(statuses) == [201, 409, 409, 409]
    assert (len(log_rows()), states()) == (1, ["active"])


def test_registration_that_was_never_appended_releases_its_names(register, log_in, log_is_broken):
    assert register("ann").status_code == 500
    assert states() == ["reserved"]
    assert log_in("ann").status_code == 401
    log_is_broken()
    assert register("ann").status_code == 409  # it may still be appended
    expire_reservations()
    assert register("ann").status_code == 201
    assert states() == ["active"]
    assert log_in("ann").status_code == 200


def test_registration_that_was_appended_is_completed(register, log_in, api, activation_is_broken):
    assert register("ann").status_code == 500
    assert (states(), len(log_rows())) == (["reserved"], 1)
    activation_is_broken()
    assert api.rate(ALIEN, 8, by=bearer(log_in("ann"))).status_code == 200
    assert states() == ["active"]


def test_registration_without_activation_is_completed_by_the_sweep(register, activation_is_broken):
    register("ann")
    activation_is_broken()
    assert sweep_reservations() == 0
    expire_reservations()
    assert sweep_reservations() == 1
    assert states() == ["active"]


def test_reservation_without_a_stream_is_swept(register, log_is_broken):
    register("ann")
    register("bob")
    log_is_broken()
    expire_reservations()
    register("cem")
    assert sweep_reservations() == 2
    assert states() == ["active"]


def test_registrations_are_rate_limited(register):
    answers = [register("ann", password="x").status_code for _ in range(25)]
    assert 429 in answers  # at most two windows of ten each
