"""Subjects: reservations, unique names, keys and log-ins."""

import hmac
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from events.vault import outgoing_mail, refresh_families, subjects
from events.vault.encryption import encrypt_field
from events.vault.models import Letter, Purpose, Subject
from events.vault.subjects import KeyMissing, NamesTaken, Reservation
from infra.security.keys import PEPPER, secret

pytestmark = [
    pytest.mark.django_db(databases=["default", "vault"]),
    pytest.mark.usefixtures("keys"),
]


def reserve(username="ann", email="ann@example.org"):
    user_id = uuid4()
    key = subjects.reserve(user_id, username=username, email=email, password_hash="hash")
    return user_id, key


def reservation(user_id):
    since = Subject.objects.values_list("reserved_at", flat=True).get(user_id=user_id)
    return Reservation(user_id, since)


def find_credentials(login):
    credentials = subjects.find(login)
    assert credentials is not None
    return credentials


def erase(user_id):
    Subject.objects.filter(user_id=user_id).update(
        state="erased", username_hmac=None, email_hmac=None, key=None, password_hash=None
    )


def test_field_is_decrypted_with_the_persons_key():
    user_id, key = reserve()
    sealed = encrypt_field(key, subject=user_id, field="username", text="ann")
    assert subjects.decrypt(sealed, subject=user_id, field="username") == "ann"


def test_field_of_an_erased_person_decrypts_to_none():
    user_id, key = reserve()
    sealed = encrypt_field(key, subject=user_id, field="username", text="ann")
    erase(user_id)
    assert subjects.key_of(user_id) is None
    assert subjects.decrypt(sealed, subject=user_id, field="username") is None


def test_missing_key_raises_key_missing():
    with pytest.raises(KeyMissing):
        subjects.key_of(uuid4())


def test_names_are_unique_until_released():
    user_id, _ = reserve()
    with pytest.raises(NamesTaken) as error:
        reserve("ANN", "other@example.org")
    assert error.value.fields == ["username"]
    subjects.release(reservation(user_id))
    reserve("ANN", "other@example.org")


BUCHER = "eve@b\u00fccher.example"
BUCHER_ASCII = "eve@xn--bcher-kva.example"


def reserve_by_an_earlier_release(username, email):
    """Reserve names as earlier releases did: the digest of the address as entered."""
    user_id, _ = reserve(username, f"{username}@example.org")
    earlier = hmac.digest(secret(PEPPER), f"email:{email}".encode(), "sha256")
    Subject.objects.filter(user_id=user_id).update(email_hmac=earlier)
    return user_id


@pytest.mark.parametrize("spelling", [BUCHER, BUCHER_ASCII])
def test_address_of_an_earlier_release_is_found_by_every_spelling(spelling):
    user_id = reserve_by_an_earlier_release("eve", BUCHER)
    with pytest.raises(NamesTaken) as error:
        reserve("other", spelling)
    assert error.value.fields == ["email"]
    outgoing_mail.enqueue(Purpose.RESET, email=spelling)
    subjects.activate(user_id)
    letters = Letter.objects.values_list("email_hmac", flat=True)
    assert user_id in {outgoing_mail.recipient(bytes(digest)) for digest in letters}
    assert find_credentials(spelling).user_id == user_id
    # From now on it has today's digest, by which known addresses are forgotten.
    assert subjects.login_digest(BUCHER) in subjects.login_digests_of(user_id)


def test_two_accounts_of_an_earlier_release_are_found_by_their_own_spelling():
    written = reserve_by_an_earlier_release("eve", BUCHER)
    converted = reserve_by_an_earlier_release("adam", BUCHER_ASCII)
    for spelling, user_id in ((BUCHER, written), (BUCHER_ASCII, converted)):
        assert find_credentials(spelling).user_id == user_id


@pytest.mark.parametrize(
    ("username", "email", "taken"),
    [
        ("ann", "ann@example.org", ["username", "email"]),
        ("ANN", "other@example.org", ["username"]),
        ("bob", "Ann@Example.org", ["email"]),
    ],
)
def test_taken_names_make_no_statement_fail(failed_statements, username, email, taken):
    """PostgreSQL would log it, with the digests, the key and the password hash."""
    reserve()
    with pytest.raises(NamesTaken) as error:
        reserve(username, email)
    assert error.value.fields == taken
    assert failed_statements == []


def test_names_of_an_erased_person_are_free():
    user_id, _ = reserve()
    erase(user_id)
    reserve()
    assert subjects.find("nobody") is None


def test_active_account_is_not_released():
    user_id, _ = reserve()
    subjects.activate(user_id)
    subjects.release(reservation(user_id))
    assert find_credentials("ann").is_active


def test_renewed_reservation_is_not_released():
    user_id, _ = reserve()
    before = reservation(user_id)._replace(since=datetime(2026, 1, 1, tzinfo=UTC))
    subjects.release(before)
    assert subjects.renew(user_id)
    subjects.release(reservation(user_id))
    assert not subjects.renew(user_id)


def test_active_account_is_not_an_orphaned_reservation():
    user_id, _ = reserve()
    subjects.activate(user_id)
    assert not subjects.renew(user_id)


def test_erased_person_cannot_be_activated():
    user_id, _ = reserve()
    erase(user_id)
    subjects.activate(user_id)
    assert subjects.key_of(user_id) is None


def test_released_reservation_cannot_be_activated():
    with pytest.raises(KeyMissing):
        subjects.activate(uuid4())


def test_epoch_only_rises():
    user_id, _ = reserve()
    for epoch in (1, 3, 2):
        subjects.raise_epoch(user_id, epoch)
    assert find_credentials("ann").epoch == 3


def test_login_is_valid_only_for_an_active_person():
    user_id, _ = reserve()
    session = refresh_families.create(user_id, password_hash="hash", life=timedelta(days=1))
    assert session is not None
    assert refresh_families.login_status(session.family) is None
    subjects.activate(user_id)
    assert refresh_families.login_status(session.family) == (user_id, 0, False)
    erase(user_id)
    assert refresh_families.login_status(session.family) is None


def test_login_with_a_changed_password_is_not_created():
    user_id, _ = reserve()
    assert subjects.replace_password(user_id, was="hash", now="other")
    assert not subjects.replace_password(user_id, was="hash", now="third")
    assert refresh_families.create(user_id, password_hash="hash", life=timedelta(days=1)) is None
    assert (
        refresh_families.create(user_id, password_hash="other", life=timedelta(days=1)) is not None
    )
