"""Decryption of personal fields for the read models that need them in clear.

The only place where projectors decrypt. Fields of erased users become "". An event whose key does
not exist yet is retried later; a field that no key decrypts makes it a poison event.
"""

from collections.abc import Sequence

from events.recorded import Recorded
from events.vault.decryption import EventDecryptor
from events.vault.encryption import DecryptionError
from events.vault.subjects import KeyMissing
from projectors.errors import PoisonEvent, RetryLater
from projectors.storage.read_model import Decrypt


def decryptor() -> Decrypt:
    """Decrypts with the vault's keys; raises RetryLater, PoisonEvent."""
    event_decryptor = EventDecryptor()

    def decrypt(batch: Sequence[Recorded]) -> Sequence[Recorded]:
        try:
            return event_decryptor.decrypt_all(batch)
        except KeyMissing as error:
            raise RetryLater(f"the vault has no key of {error} yet") from error
        except DecryptionError as error:
            raise PoisonEvent(f"an encrypted field cannot be decrypted: {error}") from error

    return decrypt
