"""How is a personal field kept in an event so that only its subject's key opens it?

AES-256-GCM with a random nonce; the subject and the field's name are authenticated with it, so
that a sealed field moved to another person or another field does not open.
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
    """This was not sealed with this key for this person and field."""


def new_key() -> bytes:
    """A key for a new subject."""
    return AESGCM.generate_key(bit_length=256)


def encrypt_field(key: bytes, *, subject: UUID, field: str, text: str) -> EncryptedField:
    """The text as it may stand in an event."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), _about(subject, field))
    return EncryptedField(b64encode(nonce + sealed).decode())


def decrypt_field(key: bytes, sealed: EncryptedField, *, subject: UUID, field: str) -> str:
    """The text that was sealed; raises DecryptionError."""
    try:
        raw = b64decode(sealed, validate=True)
        nonce, box = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, box, _about(subject, field)).decode()
    except (InvalidTag, NotBase64, ValueError) as error:
        raise DecryptionError(f"{field} of {subject}") from error


def _about(subject: UUID, field: str) -> bytes:
    return subject.bytes + field.encode()
