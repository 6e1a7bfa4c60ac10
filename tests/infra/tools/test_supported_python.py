"""Supported Pythons: another one is refused in one line, before anything is installed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.tools.supported_python import NEWEST, OLDEST, RANGE, objection

ROOT = Path(__file__).parents[3]
CHECK = Path("infra/tools/supported_python.py")
BASE_PYTHON = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")


def python_of_version(path: Path, version: tuple[int, int]) -> Path:
    """A program that runs scripts as this Python does, with another version's number."""
    pretend = (
        "import runpy, sys; sys.version_info = {version}; del sys.argv[0];"
        " runpy.run_path(sys.argv[0], run_name='__main__')"
    ).format(version=(*version, 0, "final", 0))
    path.write_text(f'#!/bin/sh\nexec {BASE_PYTHON} -c {shlex.quote(pretend)} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path) -> Path:
    """As much of a fresh checkout as make needs."""
    target: Path = tmp_path / "checkout"
    (target / CHECK.parent).mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", target)
    shutil.copy(ROOT / CHECK, target / CHECK)
    for lock in ("requirements-embedded.lock", "requirements-dev.lock"):
        (target / lock).touch()
    return target


def make(checkout: Path, *arguments: str, path: Path | None = None):
    of_outer_make = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
    environ = {name: value for name, value in os.environ.items() if name not in of_outer_make}
    if path:
        environ["PATH"] = f"{path}:{environ['PATH']}"
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=checkout,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 15), (4, 0)])
@pytest.mark.parametrize("target", ["run", "demo", "test"])
def test_wrong_python_is_told_in_one_line_before_anything_is_installed(
    checkout, tmp_path, version, target
):
    python_of_version(tmp_path / "python3", version)
    result = make(checkout, target, path=tmp_path)
    message, of_make = result.stderr.splitlines()
    number = re.escape(f"{version[0]}.{version[1]}")
    assert re.fullmatch(
        rf"Python {number} \(.+\) is not supported: Marquee needs Python 3\.11 to 3\.14;"
        r" name one: make run BASE_PYTHON=python3\.13",
        message,
    )
    assert of_make.startswith("make: *** ")
    assert (result.returncode, result.stdout) == (2, "")
    assert not (checkout / ".venv").exists()


def test_other_python_may_be_named(checkout, tmp_path):
    other = python_of_version(tmp_path / "python3.9", (3, 9))
    result = make(checkout, "run", f"BASE_PYTHON={other}")
    assert result.stderr.startswith("Python 3.9 ")


def test_environment_of_a_wrong_python_is_told_before_anything_is_installed(checkout, tmp_path):
    (checkout / ".venv/bin").mkdir(parents=True)
    python_of_version(checkout / ".venv/bin/python", (3, 10))
    result = make(checkout, "run")
    assert result.stderr.startswith("Python 3.10 ")
    assert result.stdout == ""
    assert list((checkout / ".venv").iterdir()) == [checkout / ".venv/bin"]


@pytest.mark.parametrize("minor", range(OLDEST[1], NEWEST[1] + 1))
def test_supported_python_meets_no_objection(minor):
    assert objection((3, minor), has_ensurepip=True, is_venv=False) == ""
    assert objection((3, minor), has_ensurepip=False, is_venv=True) == ""


@pytest.mark.parametrize(
    ("version", "is_venv", "way_out"),
    [
        ((3, 10), True, "remove .venv"),
        ((3, 15), False, "make run BASE_PYTHON="),
        ((2, 7), False, "make run BASE_PYTHON="),
    ],
)
def test_objection_names_the_way_out(version, is_venv, way_out):
    assert way_out in objection(version, has_ensurepip=True, is_venv=is_venv)


def test_python_without_venv_is_told_the_package():
    assert objection((3, 13), has_ensurepip=False, is_venv=False).endswith(
        "can't make virtual environments: apt-get install python3-venv"
    )


def test_pyproject_names_the_same_versions():
    text = (ROOT / "pyproject.toml").read_text()
    assert f'requires-python = ">=3.{OLDEST[1]},<3.{NEWEST[1] + 1}"' in text
    assert RANGE == "3.11 to 3.14"
