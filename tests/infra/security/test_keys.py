"""Keys: creation, file modes and rotation."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from io import StringIO
from stat import S_IMODE
from typing import NamedTuple

import pytest
from django.core.management import CommandError, call_command

from events.management.commands import keys as command
from infra.config import Config
from infra.security.keys import create, kids, made_at, private_dir, public_dir, rotate


def test_keys_are_created_once(tmp_path):
    paths = create(tmp_path)
    before = {path: path.read_bytes() for path in paths}
    assert create(tmp_path) == []
    assert {path: path.read_bytes() for path in paths} == before
    assert sorted(str(path.relative_to(tmp_path)) for path in paths[:3]) == [
        "command/idempotency.key",
        "command/pepper.key",
        "shared/position.key",
    ]


def test_concurrent_creation_makes_one_set(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        created = [path for paths in pool.map(create, [tmp_path] * 2) for path in paths]
    assert len(created) == len(set(created)) == 5
    assert len(kids(public_dir(tmp_path))) == 1


def test_secret_files_are_private(tmp_path):
    for path in create(tmp_path):
        assert S_IMODE(path.stat().st_mode) == (0o644 if path.parent.name == "public" else 0o600)
    assert S_IMODE((tmp_path / "command").stat().st_mode) == 0o700


def test_query_side_has_no_signing_key(tmp_path):
    create(tmp_path)
    shared = b"".join(path.read_bytes() for path in (tmp_path / "shared").rglob("*.*"))
    assert b"PRIVATE" not in shared


def test_rotation_keeps_the_previous_public_key(tmp_path):
    create(tmp_path)
    [first] = kids(private_dir(tmp_path))
    rotate(tmp_path, publish_seconds=0)
    [second] = kids(private_dir(tmp_path))
    assert kids(public_dir(tmp_path)) == [first, second]
    rotate(tmp_path, publish_seconds=0)
    [third] = kids(private_dir(tmp_path))
    assert kids(public_dir(tmp_path)) == [second, third]


@pytest.mark.usefixtures("keys")
def test_keys_command_prints_no_secret(keys):
    output = StringIO()
    call_command("keys", "create", stdout=output)
    assert output.getvalue() == "made nothing\n"
    output = StringIO()
    call_command("keys", "show", stdout=output)
    [kid] = kids(public_dir(keys))
    assert output.getvalue() == f"signs {kid}\nverifies {kid}\n"


def test_rotation_is_refused_while_tokens_of_the_old_key_are_valid(tmp_path, monkeypatch):
    create(tmp_path)
    monkeypatch.setattr(command, "config", lambda: Config(keys_dir=tmp_path, access_minutes=10))
    monkeypatch.setattr("infra.security.keys.rotate", partial(rotate, publish_seconds=0))
    call_command("keys", "rotate", stdout=StringIO())
    before = kids(public_dir(tmp_path))
    with pytest.raises(CommandError, match="--at-once"):
        call_command("keys", "rotate")
    assert kids(public_dir(tmp_path)) == before
    later = made_at(before[-1]) + timedelta(minutes=11)
    monkeypatch.setattr(command, "datetime", Later(later))
    call_command("keys", "rotate", stdout=StringIO())
    monkeypatch.undo()
    assert kids(public_dir(tmp_path))[0] == before[1]


def test_forced_rotation_ends_old_key_at_once(tmp_path, monkeypatch):
    create(tmp_path)
    monkeypatch.setattr(command, "config", lambda: Config(keys_dir=tmp_path))
    monkeypatch.setattr("infra.security.keys.rotate", partial(rotate, publish_seconds=0))
    for _ in range(3):
        call_command("keys", "rotate", at_once=True, stdout=StringIO())
    assert len(kids(public_dir(tmp_path))) == 2


class Later(NamedTuple):
    """A clock that stands still."""

    at: datetime

    def now(self, _zone):
        """Always the same time."""
        return self.at
