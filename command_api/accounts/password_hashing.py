"""Password rules, and hashing with Argon2id (by Django).

A log-in with an unknown name takes as long as one with a wrong password, so that response times do
not reveal who has an account.

A hash takes a tenth of a second and 100 MB, on purpose. At most half of the server's threads hash
at a time; further requests get 503, so that a burst of log-ins does not block other commands.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    check_password,
    make_password,
)
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
    validate_password,
)
from django.core.exceptions import ValidationError

from infra.config import config
from infra.errors import Invalid, Unavailable
from infra.observability import count

SHORTEST, LONGEST = 8, 256
_SALT_BYTES = 22  # Django's salts are text

# The other half of the threads serves other commands.
_hashing_slots = BoundedSemaphore(max(1, config().server_threads // 2))


def hash_password(password: str) -> str:
    """Hash a password; raises Unavailable when too many threads are hashing."""
    with _hashing_slot():
        return make_password(password)


def refuse_weak(password: str, *, username: str, email: str, field: str = "password") -> None:
    """Raise Invalid for a password that is easy to guess; the error names the field."""
    try:
        # Never saved: the validator reads the names from a Django user.
        validate_password(password, User(username=username, email=email), _validators())
    except ValidationError as error:
        reasons = [(field, reason) for reason in error.messages]
        raise Invalid("The password is too weak.", errors=reasons) from error


def is_correct(password: str, stored_hash: str | None) -> bool:
    """Compare a password with its hash; takes as long when there is none. Raises Unavailable."""
    with _hashing_slot():
        matches = check_password(password, stored_hash or _dummy_hash())
        return matches and stored_hash is not None


@contextmanager
def _hashing_slot() -> Iterator[None]:
    if not _hashing_slots.acquire(blocking=False):
        count("marquee_digests_total", outcome="crowded")
        raise Unavailable("Too many log-ins at this moment. Try again in a second.")
    count("marquee_digests_total", outcome="made")
    try:
        yield
    finally:
        _hashing_slots.release()


def _dummy_hash() -> str:
    """Build, without hashing, a hash that fits no password and takes as long to compare."""
    hasher = Argon2PasswordHasher()
    params = hasher.params()
    head = f"$argon2id$v={params.version}"
    head += f"$m={params.memory_cost},t={params.time_cost},p={params.parallelism}"
    return f"{hasher.algorithm}{head}${_blank(_SALT_BYTES)}${_blank(params.hash_len)}"


def _blank(size: int) -> str:
    return b64encode(bytes(size)).decode().rstrip("=")


@cache
def _validators() -> tuple[Any, ...]:
    return (
        MinimumLengthValidator(SHORTEST),
        NumericPasswordValidator(),
        CommonPasswordValidator(),
        UserAttributeSimilarityValidator(("username", "email")),
    )
