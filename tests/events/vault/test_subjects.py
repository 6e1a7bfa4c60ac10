"""Does the vault tell a destroyed key from a missing one, and keep names unique?"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from events.vault import refresh_families, subjects
from events.vault.encryption import encrypt_field
from events.vault.models import Subject
from events.vault.subjects import KeyMissing, NamesTaken, Reservation

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


def found(login):
    credentials = subjects.find(login)
    assert credentials is not None
    return credentials


def erase(user_id):
    Subject.objects.filter(user_id=user_id).update(
        state="erased", username_hmac=None, email_hmac=None, key=None, password_hash=None
    )


def test_a_field_is_revealed_with_the_persons_key():
    user_id, key = reserve()
    sealed = encrypt_field(key, subject=user_id, field="username", text="ann")
    assert subjects.decrypt(sealed, subject=user_id, field="username") == "ann"


def test_a_destroyed_key_reads_as_erased():
    user_id, key = reserve()
    sealed = encrypt_field(key, subject=user_id, field="username", text="ann")
    erase(user_id)
    assert subjects.key_of(user_id) is None
    assert subjects.decrypt(sealed, subject=user_id, field="username") is None


def test_a_missing_key_is_a_fault_of_its_own():
    with pytest.raises(KeyMissing):
        subjects.key_of(uuid4())


def test_names_are_unique_until_they_are_given_up():
    user_id, _ = reserve()
    with pytest.raises(NamesTaken) as taken:
        reserve("ANN", "other@example.org")
    assert taken.value.fields == ["username"]
    subjects.release(reservation(user_id))
    reserve("ANN", "other@example.org")


def test_an_erased_persons_names_are_free():
    user_id, _ = reserve()
    erase(user_id)
    reserve()
    assert subjects.find("nobody") is None


def test_an_account_is_never_released():
    user_id, _ = reserve()
    subjects.activate(user_id)
    subjects.release(reservation(user_id))
    assert found("ann").is_active


def test_what_was_renewed_since_is_not_given_up():
    user_id, _ = reserve()
    before = reservation(user_id)._replace(since=datetime(2026, 1, 1, tzinfo=UTC))
    subjects.release(before)
    assert subjects.renew(user_id)
    subjects.release(reservation(user_id))
    assert not subjects.renew(user_id)


def test_an_account_is_no_reservation():
    user_id, _ = reserve()
    subjects.activate(user_id)
    assert not subjects.renew(user_id)


def test_who_is_erased_does_not_become_active():
    user_id, _ = reserve()
    erase(user_id)
    subjects.activate(user_id)
    assert subjects.key_of(user_id) is None


def test_what_is_swept_cannot_become_active():
    with pytest.raises(KeyMissing):
        subjects.activate(uuid4())


def test_an_epoch_only_rises():
    user_id, _ = reserve()
    for epoch in (1, 3, 2):
        subjects.raise_epoch(user_id, epoch)
    assert found("ann").epoch == 3


def test_a_log_in_stands_only_for_an_active_person():
    user_id, _ = reserve()
    begun = refresh_families.create(user_id, password_hash="hash", life=timedelta(days=1))
    assert begun is not None
    assert refresh_families.login_status(begun.family) is None
    subjects.activate(user_id)
    assert refresh_families.login_status(begun.family) == (user_id, 0, False)
    erase(user_id)
    assert refresh_families.login_status(begun.family) is None


def test_no_log_in_begins_with_a_password_that_is_another_one_by_now():
    user_id, _ = reserve()
    assert subjects.replace_password(user_id, was="hash", now="other")
    assert not subjects.replace_password(user_id, was="hash", now="third")
    assert refresh_families.create(user_id, password_hash="hash", life=timedelta(days=1)) is None
    assert (
        refresh_families.create(user_id, password_hash="other", life=timedelta(days=1)) is not None
    )
