"""What do sealed fields say, to the models that keep what people wrote?

The one place where projectors open them; what is erased reads as "". A key that is not there yet
is waited for, a field that no key opens is at fault itself.
"""

from collections.abc import Sequence

from events.recorded import Recorded
from events.vault.decryption import EventDecryptor
from events.vault.encryption import DecryptionError
from events.vault.subjects import KeyMissing
from projectors.errors import AgainLater, NeverApply
from projectors.storage.read_model import Opening


def opening() -> Opening:
    """Opens fields with the vault's keys; raises AgainLater, NeverApply."""
    decryptor = EventDecryptor()

    def open_all(batch: Sequence[Recorded]) -> Sequence[Recorded]:
        try:
            return decryptor.decrypt_all(batch)
        except KeyMissing as error:
            raise AgainLater(f"the vault has no key of {error}") from error
        except DecryptionError as error:
            raise NeverApply(f"a sealed field does not open: {error}") from error

    return open_all
