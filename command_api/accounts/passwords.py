"""Which passwords are taken, and is this the right one?

Argon2, by Django. Whoever logs in as somebody unknown waits as long as somebody with a wrong
password, so that the time tells nobody who has an account.
"""

from functools import cache
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
    validate_password,
)
from django.core.exceptions import ValidationError

from infra.refused import Invalid

SHORTEST, LONGEST = 8, 256


def digest(password: str) -> str:
    """What the vault keeps."""
    return make_password(password)


def refuse_weak(password: str, *, username: str, email: str) -> None:
    """Raise Invalid for a password that is easily guessed."""
    try:
        # Never saved: the validator reads names and their labels from a user of Django's.
        validate_password(password, User(username=username, email=email), _validators())
    except ValidationError as error:
        reasons = [("password", reason) for reason in error.messages]
        raise Invalid("The password can't be taken.", errors=reasons) from error


def is_right(password: str, kept: str | None) -> bool:
    """Whether it is the password that is kept; takes as long when none is."""
    if kept is None:
        check_password(password, _nobodys())
        return False
    return check_password(password, kept)


@cache
def _nobodys() -> str:
    return make_password("the password of nobody")


@cache
def _validators() -> tuple[Any, ...]:
    return (
        MinimumLengthValidator(SHORTEST),
        CommonPasswordValidator(),
        UserAttributeSimilarityValidator(("username", "email")),
    )
