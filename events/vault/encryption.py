"""Encryption of personal fields with the key of the person they are about.

AES-256-GCM with a random nonce. The subject's id and the field's name are authenticated, too: a
ciphertext copied to another person or another field is not decrypted.
"""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from events.catalogue.accounts import EncryptedField

NONCE_BYTES = 12


class DecryptionError(Exception):
    """The text was not encrypted with this key for this person and field."""


def new_key() -> bytes:
    """Make the key of a new subject."""
    return AESGCM.generate_key(bit_length=256)


def encrypt_field(key: bytes, *, subject: UUID, field: str, text: str) -> EncryptedField:
    """Encrypt a text for an event."""
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, text.encode(), _associated_data(subject, field))
    return EncryptedField(b64encode(nonce + ciphertext).decode())


def decrypt_field(key: bytes, encrypted: EncryptedField, *, subject: UUID, field: str) -> str:
    """Decrypt a field; raises DecryptionError."""
    try:
        raw = b64decode(encrypted, validate=True)
        nonce, ciphertext = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, ciphertext, _associated_data(subject, field)).decode()
    except (InvalidTag, NotBase64, ValueError) as error:
        raise DecryptionError(f"{field} of {subject}") from error


def _associated_data(subject: UUID, field: str) -> bytes:
    return subject.bytes + field.encode()
