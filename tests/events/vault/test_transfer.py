"""Vault export and import: all people or none."""

import gzip
import json
import re
from functools import partial
from io import StringIO
from uuid import UUID, uuid4

import msgspec
import pytest
from django.core.management import CommandError, call_command

from events.vault import erasures, subjects
from events.vault.encryption import encrypt_field
from events.vault.models import Subject
from infra.security.keys import PEPPER, secret

pytestmark = [
    pytest.mark.django_db(databases=["default", "vault"]),
    pytest.mark.usefixtures("keys"),
]
FIELDS = [field.name for field in Subject._meta.concrete_fields]


def run(*words):
    out, err = StringIO(), StringIO()
    call_command("keys", *map(str, words), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def vault_rows():
    return [
        tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
        for row in Subject.objects.order_by("user_id").values_list(*FIELDS)
    ]


def with_a_person(lines, **fields):
    """The lines with other fields in the first person who is not erased; None: left out."""
    nth = next(nth for nth, line in enumerate(lines) if b'"key"' in line)
    all_fields = json.loads(lines[nth]) | fields
    kept_fields = {name: value for name, value in all_fields.items() if value is not None}
    return [*lines[:nth], json.dumps(kept_fields).encode() + b"\n", *lines[nth + 1 :]]


def person(name) -> tuple[UUID, bytes]:
    user_id = uuid4()
    email = f"{name}@example.org"
    key = subjects.reserve(user_id, username=name, email=email, password_hash=f"hash of {name}")
    return user_id, key


@pytest.fixture
def ann() -> tuple[UUID, bytes]:
    """An active person, beside a reserved and an erased one."""
    user_id, key = person("ann")
    subjects.activate(user_id)
    subjects.raise_epoch(user_id, 3)
    person("bob")
    erased_id, _ = person("eve")
    Subject.objects.filter(user_id=erased_id).update(
        state="erased", username_hmac=None, email_hmac=None, key=None, password_hash=None
    )
    return user_id, key


def test_exported_people_are_imported_unchanged(ann, tmp_path):
    path, before = tmp_path / "vault.jsonl", vault_rows()
    output, warned = run("export", path)
    assert output == f"3 people in {path}.\n"
    assert "decrypts every personal field" in warned
    assert PEPPER in warned
    Subject.objects.all().delete()
    output, warned = run("import", path)
    assert output.startswith("3 people imported.")
    assert warned == ""
    assert vault_rows() == before
    user_id, key = ann
    sealed = encrypt_field(key, subject=user_id, field="username", text="ann")
    assert subjects.decrypt(sealed, subject=user_id, field="username") == "ann"
    assert subjects.find("ANN@example.org") == (user_id, "hash of ann", 3, True)
    with pytest.raises(subjects.NamesTaken):
        person("Ann")


def test_export_is_refused_while_an_erasure_is_unfinished(ann, tmp_path):
    path, (user_id, _) = tmp_path / "vault.jsonl", ann
    erasures.begin(user_id)
    with pytest.raises(CommandError, match="erase --restored first"):
        run("export", path)
    assert list(tmp_path.iterdir()) == []
    erasures.destroy_key(user_id)
    assert run("export", path)[0] == f"3 people in {path}.\n"


def test_exported_file_is_readable_by_its_owner_only(ann, tmp_path):
    path = tmp_path / "vault.jsonl"
    leftover = tmp_path / ".part-vault.jsonl"
    leftover.touch(mode=0o666)
    path.touch(mode=0o666)
    run("export", path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    path.chmod(0o644)
    Subject.objects.all().delete()
    _, warned = run("import", path)
    assert "chmod 600" in warned


def test_exported_file_has_no_names_in_plain_text(ann, tmp_path):
    run("export", tmp_path / "vault.jsonl")
    written = (tmp_path / "vault.jsonl").read_text()
    assert "@example.org" not in written
    assert "ann" not in written.replace("hash of ann", "")


def test_import_refuses_a_vault_with_people(ann, tmp_path):
    path = tmp_path / "vault.jsonl"
    run("export", path)
    before = vault_rows()
    with pytest.raises(CommandError, match="must be empty"):
        run("import", path)
    assert vault_rows() == before


def test_import_refuses_names_digested_with_another_pepper(ann, tmp_path, monkeypatch):
    path = tmp_path / "vault.jsonl"
    run("export", path)
    Subject.objects.all().delete()
    monkeypatch.setattr("events.vault.transfer.secret", lambda name: secret(name) + b"?")
    with pytest.raises(CommandError, match=r"another pepper.*command/pepper.key"):
        run("import", path)
    assert vault_rows() == []


def changed(number, **fields):
    """Change fields of the person on a line."""

    def change(lines):
        person = msgspec.json.decode(lines[number]) | fields
        return [*lines[:number], msgspec.json.encode(person) + b"\n", *lines[number + 1 :]]

    return change


@pytest.mark.parametrize(
    "write",
    [
        gzip.compress,
        lambda content: content.decode().encode("utf-8-sig"),
        lambda content: gzip.compress(content.decode().encode("utf-16")),
        lambda content: content.replace(b"\n", b"\r\n\r\n"),
    ],
)
def test_file_that_another_program_wrote_is_imported(ann, tmp_path, write):
    path, before = tmp_path / "vault.jsonl", vault_rows()
    run("export", path)
    path.write_bytes(write(path.read_bytes()))
    Subject.objects.all().delete()
    run("import", path)
    assert vault_rows() == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:],
        lambda packed: packed[:-1] + bytes([packed[-1] ^ 1]),
        lambda packed: packed[:-60],
    ],
)
def test_nobody_of_a_damaged_archive_is_imported(ann, tmp_path, damage):
    path = tmp_path / "vault.jsonl"
    run("export", path)
    path.write_bytes(damage(gzip.compress(path.read_bytes())))
    Subject.objects.all().delete()
    with pytest.raises(CommandError, match=r"vault\.jsonl:\d+: the file .* Nothing was imported"):
        run("import", path)
    assert vault_rows() == []


@pytest.mark.parametrize("reserved_at", ["2020-06-15T12:00:00", "0001-01-01T00:00:00+14:00"])
def test_time_that_is_none_is_refused(ann, tmp_path, reserved_at):
    path = tmp_path / "vault.jsonl"
    run("export", path)
    time = f'"reserved_at":"{reserved_at}"'
    path.write_text(re.sub('"reserved_at":"[^"]+"', time, path.read_text()))
    Subject.objects.all().delete()
    with pytest.raises(CommandError, match="Line 2 is not a person: the time"):
        run("import", path)
    assert vault_rows() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lines: lines[:-1], "cut short"),
        (lambda lines: lines[:-2], "cut short"),
        (lambda lines: [*lines[:-2], lines[-2][:-9]], "cut short"),
        (lambda lines: [*lines[:-2], b"{}\n", lines[-1]], "Line 4 is not a person"),
        (lambda lines: [*lines[:-1], lines[-2], b'{"people":4}\n'], "have the same names"),
        (
            lambda lines: [*lines[:1], *lines[2:]],
            "or changed: its footer is missing after 2 people",
        ),
        (partial(with_a_person, key=None), "names, key and password hash are needed"),
        (partial(with_a_person, email_hmac=None), "names, key and password hash are needed"),
        (partial(with_a_person, state="erased"), "only an erased person has none of them"),
        (partial(with_a_person, password_hash="a\0"), r"is not a person: .*password_hash"),
        (partial(with_a_person, epoch=-1), r"is not a person: .*epoch"),
        (partial(with_a_person, epoch=2**31), r"is not a person: .*epoch"),
        (changed(1, reserved_at="2026-01-01T00:00:00"), "Line 2 is not a person"),
        (changed(1, key="AAAA"), "Line 2 is not a person"),
        (changed(1, password_hash="x" * 70_000), "2: longer than 65536 bytes"),
        (lambda lines: [b"x" * 70_000, *lines[1:]], "1: longer than 65536 bytes"),
        (lambda lines: [b'{"note":' + b"[" * 2000, *lines[1:]], "not an export of a vault"),
        (lambda lines: [lines[0], b'{"note":' + b"[" * 2000 + b"\n"], "Line 2 is not a person"),
        (lambda lines: lines[1:], "not an export of a vault"),
        (lambda lines: lines[:0], "not an export of a vault"),
    ],
)
def test_import_of_a_damaged_file_imports_nobody(ann, tmp_path, failed_statements, change, reason):
    path = tmp_path / "vault.jsonl"
    run("export", path)
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    Subject.objects.all().delete()
    with pytest.raises(CommandError, match=reason):
        run("import", path)
    assert vault_rows() == []
    assert failed_statements == []


def test_import_names_a_file_that_does_not_exist(ann, tmp_path):
    with pytest.raises(CommandError, match="nowhere"):
        run("import", tmp_path / "nowhere.jsonl")
