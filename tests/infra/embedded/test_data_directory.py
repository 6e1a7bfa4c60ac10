"""Data directory: refusals name the cause and the way out."""

import json
import shutil
from typing import NamedTuple

import pytest

from infra.embedded import data_directory
from infra.embedded.data_directory import LAYOUT, LAYOUT_FILE, owned, wipe
from infra.embedded.layout import layout_of
from infra.services.errors import InUse, NotUsable
from infra.services.system_user import current


class Usage(NamedTuple):
    free: int


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    """Enough free disk space, whatever this machine has."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12))


def test_data_directory_in_use_is_refused_with_its_owner(tmp_path):
    with owned(tmp_path), pytest.raises(InUse, match=r"already, as process \d+"), owned(tmp_path):
        pass


def test_data_directory_of_an_ended_owner_is_free(tmp_path):
    for _ in range(2):
        with owned(tmp_path):
            pass


def test_directory_with_foreign_files_is_refused_and_untouched(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with (
        pytest.raises(NotUsable, match=r"holds something else: thesis\.txt\. Use another"),
        owned(tmp_path),
    ):
        pass


@pytest.mark.parametrize(("layout", "age"), [(LAYOUT - 1, "an older"), (LAYOUT + 1, "a newer")])
def test_data_directory_of_another_layout_is_refused_with_a_way_out(tmp_path, layout, age):
    (tmp_path / LAYOUT_FILE).write_text(json.dumps({"layout": layout}))
    with pytest.raises(NotUsable, match=f"made by {age} version.*events export"), owned(tmp_path):
        pass


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"layout": "x"}'])
def test_unreadable_layout_file_is_refused(tmp_path, text):
    (tmp_path / LAYOUT_FILE).write_text(text)
    with pytest.raises(NotUsable, match="can't be read"), owned(tmp_path):
        pass


def test_full_disk_is_reported_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(50_000_000))
    message = "has 50 MB of room, and 1000 MB are needed"
    with pytest.raises(NotUsable, match=message), owned(tmp_path):
        pass


def test_path_that_is_no_directory_is_reported(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotUsable, match=r"can't be written .*make run DATA=DIR"):
        layout_of(tmp_path / "file" / "run")


def test_read_only_directory_is_reported(tmp_path, monkeypatch):
    def refuse(lock, directory):
        raise OSError(30, "Read-only file system", str(directory / "lock"))

    monkeypatch.setattr(data_directory, "_lock", refuse)
    message = "lock: Read-only file system.*make run DATA=DIR"
    with pytest.raises(NotUsable, match=message), owned(tmp_path):
        pass


def test_error_inside_the_block_is_not_reported_as_the_directorys(tmp_path):
    with pytest.raises(FileNotFoundError), owned(tmp_path):
        (tmp_path / "nowhere").read_text()


def test_wiped_directory_stays_owned(tmp_path):
    with owned(tmp_path):
        (tmp_path / "postgres").mkdir()
        (tmp_path / "environment").touch()
        wipe(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {"lock", LAYOUT_FILE}


def test_sockets_of_a_long_path_are_in_a_private_temporary_directory(tmp_path, monkeypatch):
    monkeypatch.setattr("infra.embedded.layout.unprivileged", current)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    deep = layout_of(tmp_path / ("deep" * 40))
    assert deep.sockets.parent == tmp_path
    assert deep.sockets.stat().st_mode & 0o777 == 0o700
    assert deep.sockets == deep.sockets
    deep.sockets.chmod(0o777)
    with pytest.raises(NotUsable, match="is not ours"):
        _ = deep.sockets
