"""When are two usernames, or two e-mail addresses, the same?

When their skeletons are: Paul_10 and pauI_lO are one name, for nobody could tell them apart.
Usernames are of ASCII (command_api.accounts.api), so that no other alphabet is taken for it; what
looks alike within it is made equal here. The vault keeps only an HMAC of a skeleton: its unique
index is what makes names unique, and who steals the table can't read them without the pepper.
"""

import hmac
import unicodedata

_SIGNS = str.maketrans({"0": "o", "1": "l", "i": "l"})  # a capital i is an l in most typefaces
_PAIRS = (("rn", "m"), ("vv", "w"))


def username_skeleton(username: str) -> str:
    """What is left of a username when everything that looks alike is made equal."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())
    skeleton = folded.translate(_SIGNS)
    for pair, sign in _PAIRS:
        skeleton = skeleton.replace(pair, sign)
    return skeleton


def email_skeleton(email: str) -> str:
    """The address as it is compared; case is ignored in the local part too, as hosts do."""
    return unicodedata.normalize("NFKC", email).lower()


def username_digest(pepper: bytes, username: str) -> bytes:
    """What the vault keeps of a username."""
    return _digest(pepper, "username", username_skeleton(username))


def email_digest(pepper: bytes, email: str) -> bytes:
    """What the vault keeps of an e-mail address."""
    return _digest(pepper, "email", email_skeleton(email))


def _digest(pepper: bytes, kind: str, skeleton: str) -> bytes:
    return hmac.digest(pepper, f"{kind}:{skeleton}".encode(), "sha256")
