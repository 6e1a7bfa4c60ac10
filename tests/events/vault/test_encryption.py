"""Field encryption: bound to key, person and field."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalogue.accounts import EncryptedField
from events.vault.encryption import DecryptionError, decrypt_field, encrypt_field, new_key

ANN, BOB = UUID(int=1), UUID(int=2)
KEY = new_key()


@given(st.text())
def test_encrypted_field_decrypts_to_its_text(text):
    sealed = encrypt_field(KEY, subject=ANN, field="username", text=text)
    assert decrypt_field(KEY, sealed, subject=ANN, field="username") == text


def test_equal_texts_encrypt_differently():
    assert (
        len({encrypt_field(KEY, subject=ANN, field="username", text="ann") for _ in range(100)})
        == 100
    )


@pytest.mark.parametrize(
    ("key", "subject", "field"),
    [(new_key(), ANN, "username"), (KEY, BOB, "username"), (KEY, ANN, "email")],
    ids=["another key", "another subject", "another field"],
)
def test_other_key_person_or_field_fails_to_decrypt(key, subject, field):
    sealed = encrypt_field(KEY, subject=ANN, field="username", text="ann")
    with pytest.raises(DecryptionError):
        decrypt_field(key, sealed, subject=subject, field=field)


@pytest.mark.parametrize("broken", ["", "x", "AAAA", "é", "=" * 40, "QUFBQUFBQUFBQUFBQUFBQUFBQUE="])
def test_malformed_ciphertext_fails_to_decrypt(broken):
    with pytest.raises(DecryptionError):
        decrypt_field(KEY, EncryptedField(broken), subject=ANN, field="username")
