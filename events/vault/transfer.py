"""Export and import of the vault's people, with their encryption keys.

JSON lines: a header, a line for each person, and a footer. Names are exported as the digests that
the vault stores, made with the platform's pepper: the file is of use only with the same pepper.
Log-ins are not exported: people log in again, with their old password.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest, digest
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.db import transaction
from msgspec import Meta

from events.vault.models import Erasure, Subject
from infra import line_reader
from infra.client_times import to_utc
from infra.line_reader import DamagedFile, FileLine
from infra.security.keys import PEPPER, secret

FORMAT: Literal["marquee-vault.v1"] = "marquee-vault.v1"
_BATCH = 1000
_LONGEST_LINE = 2**16
_Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Key = Annotated[bytes, Meta(min_length=32, max_length=32)]


class InvalidVaultExport(Exception):
    """The file can't be imported into this vault; the message says why."""


class ErasureInProgress(Exception):
    """An erasure is not finished; the message says what to do first."""


class VaultExportHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The first line."""

    format: Literal["marquee-vault.v1"]
    pepper: bytes
    """A digest of the pepper."""


class ExportedPerson(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's row; of an erased person only the tombstone."""

    user_id: UUID
    state: Literal["reserved", "active", "erased"]
    reserved_at: datetime
    username_hmac: _Digest | None = None
    email_hmac: _Digest | None = None
    key: _Key | None = None
    password_hash: Annotated[str, Meta(pattern=r"^[^\x00]*\Z")] | None = None
    epoch: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0

    @property
    def is_complete(self) -> bool:
        """Whether it has all secrets, or as a tombstone none."""
        secrets = (self.username_hmac, self.email_hmac, self.key, self.password_hash)
        return all((secret is None) == (self.state == "erased") for secret in secrets)


class VaultExportFooter(msgspec.Struct, frozen=True, kw_only=True):
    """The last line: how many people come before it."""

    people: int


_FIELDS = ExportedPerson.__struct_fields__
_header_decoder = msgspec.json.Decoder(VaultExportHeader)
_person_decoder = msgspec.json.Decoder(ExportedPerson)
_FOOTER_PREFIX = b'{"people":'


def export_people(path: Path) -> Iterator[ExportedPerson]:
    """Write all people, yielding each; the file appears once complete, readable by its owner only.

    Raises ErasureInProgress: requests for erasure are not exported.
    """
    if waiting := Erasure.objects.filter(erased_at=None).count():
        raise ErasureInProgress(
            f"{waiting} erasures are not finished, and requests for erasure are not exported:"
            " run ./manage.py erase --restored first."
        )
    part = path.with_name(f".part-{path.name}")
    part.unlink(missing_ok=True)  # its permissions may be too wide
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, transaction.atomic(using="vault"):
        written = 0
        file.write(_line(VaultExportHeader(format=FORMAT, pepper=_fingerprint())))
        # One statement, so one snapshot, read through a server-side cursor.
        for row in Subject.objects.order_by("user_id").values(*_FIELDS).iterator(_BATCH):
            person = msgspec.convert(row, ExportedPerson)
            file.write(_line(person))
            written += 1
            yield person
        file.write(_line(VaultExportFooter(people=written)))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_header(path: Path) -> VaultExportHeader:
    """Read the first line of the file; raises InvalidVaultExport."""
    try:
        first = next(_lines(path), None)
        return _header_decoder.decode(first.content if first else b"")
    except (msgspec.MsgspecError, OSError, RecursionError) as error:
        raise InvalidVaultExport(f"{path} is not an export of a vault: {error}") from error


def import_people(path: Path) -> Iterator[int]:
    """Import all people into an empty vault, or none; yields the number per batch.

    Raises InvalidVaultExport.
    """
    header = read_header(path)
    try:
        line_reader.refuse_damaged(path)
    except DamagedFile as error:
        raise InvalidVaultExport(f"{error}.") from error
    if not compare_digest(header.pepper, _fingerprint()):
        raise InvalidVaultExport(
            "The file was made with another pepper, so no user could log in: first copy"
            f" {PEPPER} from the keys of its platform."
        )
    with transaction.atomic(using="vault"):
        if Subject.objects.exists():
            raise InvalidVaultExport("The vault must be empty, but this one has people.")
        rows, count = _rows(path), 0
        while batch := list(islice(rows, _BATCH)):
            # A conflict must not make the statement fail: PostgreSQL would log it.
            Subject.objects.bulk_create(batch, ignore_conflicts=True)
            count += len(batch)
            yield len(batch)
        if (repeated := count - Subject.objects.count()) > 0:
            raise InvalidVaultExport(
                f"{repeated} of the file's people have the same names or id as others in it."
            )


def _rows(path: Path) -> Iterator[Subject]:
    lines = _lines(path)
    next(lines, None)
    footer, count = b"", 0
    for line in lines:
        if line.content.startswith(_FOOTER_PREFIX):
            footer = line.content
            break
        count += 1
        yield _subject(line)
    if footer != msgspec.json.encode(VaultExportFooter(people=count)):
        raise InvalidVaultExport(
            f"The file was cut short or changed: its footer is missing after {count} people."
        )


def _subject(line: FileLine) -> Subject:
    try:
        person = _person_decoder.decode(line.content)
        fields = msgspec.structs.asdict(person) | {"reserved_at": to_utc(person.reserved_at)}
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        reason = line.why_unreadable(error)
        raise InvalidVaultExport(f"Line {line.number} is not a person: {reason}.") from error
    if not person.is_complete:
        raise InvalidVaultExport(
            f"Line {line.number} is not a person: names, key and password hash are needed, and only"
            " an erased person has none of them."
        )
    return Subject(**fields)


def _lines(path: Path) -> Iterator[FileLine]:
    """The lines that aren't blank; raises InvalidVaultExport for one that can't be read."""
    for line in line_reader.read(path, is_exact=True, limit=_LONGEST_LINE):
        if line.error:
            raise InvalidVaultExport(f"{path.name}:{line.number}: {line.error}.")
        if not line.is_blank:
            yield line


def _line(content: msgspec.Struct) -> bytes:
    return msgspec.json.encode(content) + b"\n"


def _fingerprint() -> bytes:
    return digest(secret(PEPPER), b"vault transfer", "sha256")
