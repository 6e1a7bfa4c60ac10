"""How are the vault's people taken elsewhere, with the keys of what the log says about them?

JSON lines: which vault it was, a person each, and how many. Names are only there as the digests
that the vault keeps, made with the platform's pepper: the file is of use only where the pepper is
the same. Log-ins don't come along: everyone logs in again, with the password they had.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest, digest
from itertools import islice
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction

from events.vault.models import Erasure, Subject
from infra.security.keys import PEPPER, secret

FORMAT: Literal["marquee-vault.v1"] = "marquee-vault.v1"
_BATCH = 1000


class NotThisVault(Exception):
    """The file can't be brought into this vault; the message says why."""


class ErasureUnderWay(Exception):
    """Somebody is to be erased and is not yet; the message says what to do first."""


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first line."""

    format: Literal["marquee-vault.v1"]
    pepper: bytes
    """Tells one pepper from another, and nothing about it."""


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of the vault; of an erased person, that they were there."""

    user_id: UUID
    state: Literal["reserved", "active", "erased"]
    reserved_at: datetime
    username_hmac: bytes | None = None
    email_hmac: bytes | None = None
    key: bytes | None = None
    password_hash: str | None = None
    epoch: int = 0


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The last line: how many people come before it."""

    people: int


_FIELDS = Person.__struct_fields__
_beginning = msgspec.json.Decoder(Beginning)
_person = msgspec.json.Decoder(Person)
_ENDING = b'{"people":'


def write(path: Path) -> Iterator[Person]:
    """Write everyone, telling each; the file is there when it is whole, for its owner only.

    Raises ErasureUnderWay: that somebody asked to be forgotten does not come along.
    """
    if waiting := Erasure.objects.filter(erased_at=None).count():
        raise ErasureUnderWay(
            f"{waiting} asked to be erased and are not yet, which would be forgotten elsewhere:"
            " ./manage.py erase --restored first."
        )
    part = path.with_name(f".part-{path.name}")
    part.unlink(missing_ok=True)  # with whatever permissions it was left
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, transaction.atomic(using="vault"):
        written = 0
        file.write(_line(Beginning(format=FORMAT, pepper=_fingerprint())))
        # One statement, so one snapshot, read through a cursor of the server.
        for row in Subject.objects.order_by("user_id").values(*_FIELDS).iterator(_BATCH):
            person = msgspec.convert(row, Person)
            file.write(_line(person))
            written += 1
            yield person
        file.write(_line(Ending(people=written)))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def beginning(path: Path) -> Beginning:
    """What the file says of the vault that it was made from. Raises NotThisVault."""
    with path.open("rb") as file:
        try:
            return _beginning.decode(file.readline())
        except msgspec.MsgspecError as error:
            raise NotThisVault(f"{path} is no export of a vault: {error}") from error


def bring_back(path: Path) -> Iterator[int]:
    """Put everyone into an empty vault, or nobody, telling how many at a time.

    Raises NotThisVault.
    """
    said = beginning(path)
    if not compare_digest(said.pepper, _fingerprint()):
        raise NotThisVault(
            "Its names were digested with another pepper, so nobody could log in: first copy"
            f" {PEPPER} from the keys of the platform that it comes from."
        )
    try:
        with transaction.atomic(using="vault"):
            if Subject.objects.exists():
                raise NotThisVault("There are people in this vault: it must be empty.")
            rows = _rows(path)
            while batch := list(islice(rows, _BATCH)):
                Subject.objects.bulk_create(batch)
                yield len(batch)
    except IntegrityError as error:
        raise NotThisVault(f"Two of its people can't be in one vault: {error}") from error


def _rows(path: Path) -> Iterator[Subject]:
    with path.open("rb") as file:
        file.readline()
        line, brought = b"", 0
        for number, line in enumerate(file, start=2):
            if line.startswith(_ENDING):
                break
            try:
                person = _person.decode(line)
            except msgspec.MsgspecError as error:
                reason = str(error) if line.endswith(b"\n") else "the file was cut short"
                raise NotThisVault(f"Line {number} is no person: {reason}.") from error
            brought += 1
            yield Subject(**msgspec.structs.asdict(person))
    if line != _line(Ending(people=brought)):
        raise NotThisVault(
            f"The file was cut short, or changed: after {brought} people its end is missing."
        )


def _line(said: msgspec.Struct) -> bytes:
    return msgspec.json.encode(said) + b"\n"


def _fingerprint() -> bytes:
    return digest(secret(PEPPER), b"vault transfer", "sha256")
