"""Name skeletons: usernames that look alike, and spellings of one e-mail address, count as one.

Paul_10 and pauI_lO are one name: they look alike. Usernames are ASCII (command_api.accounts.api),
so only look-alikes within it matter. The vault stores an HMAC of a skeleton: its unique index makes
names unique, and the table can't be read without the pepper.
"""

import hmac
import unicodedata
from collections.abc import Sequence

from events.vault.email_domains import normal_address, unicode_address

_LOOKALIKES = str.maketrans(
    {"0": "o", "1": "l", "i": "l"}
)  # a capital i looks like an l in most typefaces
_PAIRS = (("rn", "m"), ("vv", "w"))


def username_skeleton(username: str) -> str:
    """A username with look-alike characters made equal."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
    skeleton = folded.translate(_LOOKALIKES)
    for pair, sign in _PAIRS:
        skeleton = skeleton.replace(pair, sign)
    return skeleton


def email_skeleton(email: str) -> str:
    """The address in lower case, the local part too, as mail hosts compare it; domain in ASCII."""
    return _folded(normal_address(email))


def _folded(email: str) -> str:
    return unicodedata.normalize("NFKC", email).lower()


def username_digest(pepper: bytes, username: str) -> bytes:
    """The digest of a username that the vault stores."""
    return _digest(pepper, "username", username_skeleton(username))


def email_digest(pepper: bytes, email: str) -> bytes:
    """The digest of an e-mail address that the vault stores."""
    return _digest(pepper, "email", email_skeleton(email))


def email_digests(pepper: bytes, email: str) -> Sequence[bytes]:
    """All digests that an address may have in the vault, that of its spelling as entered first.

    Earlier releases took the spellings of an internationalised domain for several addresses.
    """
    spellings = (_folded(email), email_skeleton(email), _folded(unicode_address(email)))
    return [_digest(pepper, "email", spelling) for spelling in dict.fromkeys(spellings)]


def _digest(pepper: bytes, kind: str, skeleton: str) -> bytes:
    return hmac.digest(pepper, f"{kind}:{skeleton}".encode(), "sha256")
