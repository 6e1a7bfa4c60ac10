"""When are two usernames, or two e-mail addresses, the same?

When their skeletons are. The vault keeps only an HMAC of a skeleton: its unique index is what makes
names unique, and who steals the table can't read them without the pepper.
"""

import hmac
import unicodedata


def username_skeleton(username: str) -> str:
    """What is left of a username when everything that looks alike is made equal."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


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
