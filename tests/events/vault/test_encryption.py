"""Does a sealed field open only with its key, for its person, as its field?"""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalogue.accounts import EncryptedField
from events.vault.encryption import DecryptionError, decrypt_field, encrypt_field, new_key

ANN, BOB = UUID(int=1), UUID(int=2)
KEY = new_key()


@given(st.text())
def test_what_was_sealed_opens(text):
    sealed = encrypt_field(KEY, subject=ANN, field="username", text=text)
    assert decrypt_field(KEY, sealed, subject=ANN, field="username") == text


def test_the_same_text_is_never_sealed_alike():
    assert (
        len({encrypt_field(KEY, subject=ANN, field="username", text="ann") for _ in range(100)})
        == 100
    )


@pytest.mark.parametrize(
    ("key", "subject", "field"),
    [(new_key(), ANN, "username"), (KEY, BOB, "username"), (KEY, ANN, "email")],
    ids=["another key", "another subject", "another field"],
)
def test_it_opens_nowhere_else(key, subject, field):
    sealed = encrypt_field(KEY, subject=ANN, field="username", text="ann")
    with pytest.raises(DecryptionError):
        decrypt_field(key, sealed, subject=subject, field=field)


@pytest.mark.parametrize("broken", ["", "x", "AAAA", "é", "=" * 40, "QUFBQUFBQUFBQUFBQUFBQUFBQUE="])
def test_what_was_never_sealed_does_not_open(broken):
    with pytest.raises(DecryptionError):
        decrypt_field(KEY, EncryptedField(broken), subject=ANN, field="username")
