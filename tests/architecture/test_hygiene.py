"""Hygiene: nothing in the tree depends on one machine, one package index or others' data."""

import re
import subprocess
from pathlib import Path

import pytest

from infra.tools.lock_files import LOCKS

ROOT = Path(__file__).parents[2]
# In two halves, so that this file doesn't name what it forbids.
HOSTS = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry." + "npmjs.org",
    "repo." + "maven.apache.org",
    "repo1." + "maven.org",
    "docker." + "elastic.co",
    "registry-1." + "docker.io",
    "gh" + "cr.io",
    "qu" + "ay.io",
)
MACHINE = re.compile(r"(?<![\w/.])/" + r"(?:work|root|home/\w+)/")
LARGEST_FILE_BYTES = 5_000_000
PIP_OPTIONS = ("--index-url", "--extra-index-url", "--find-links", "--trusted-host")


def tracked():
    result = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [ROOT / name for name in result.stdout.split("\0") if name]
    return sorted(path for path in paths if path.is_file())


def texts():
    for path in tracked():
        try:
            yield path.relative_to(ROOT), path.read_text()
        except UnicodeDecodeError:
            continue


def test_no_file_names_the_host_of_a_registry():
    named = [(str(path), host) for path, text in texts() for host in HOSTS if host in text]
    assert named == []


def test_no_file_names_paths_of_one_machine():
    knowing = [str(path) for path, text in texts() if MACHINE.search(text)]
    assert knowing == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_name_no_index(name):
    text = (ROOT / name).read_text()
    assert not [option for option in PIP_OPTIONS if option in text]
    assert "://" not in text
    requirements = re.findall(r"^[a-z0-9][^\s;]*", text, re.MULTILINE)
    assert requirements
    assert all("==" in requirement for requirement in requirements)
    assert text.count("--hash=sha256:") >= len(requirements)


def test_no_movielens_file_is_in_the_tree():
    """MovieLens may be read in place, never be passed on."""
    names = {"ratings.csv", "u.data", "movies.dat", "ratings.dat"}
    assert [path for path in tracked() if path.name in names] == []


def test_files_are_smaller_than_5_megabytes():
    large = [path for path in tracked() if path.stat().st_size > LARGEST_FILE_BYTES]
    assert large == []


def test_every_suppression_gives_its_reason():
    bare = re.compile(
        r"#\s*no" + r"qa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*\s*$"
        r"|#\s*type:\s*" + r"ignore\[[\w-]+(?:,\s*[\w-]+)*\]\s*$"
        r"|#\s*no" + r"qa\s*$"
    )
    suppressions = [
        f"{path}:{number}"
        for path, text in texts()
        if path.suffix == ".py"
        for number, line in enumerate(text.splitlines(), 1)
        if bare.search(line)
    ]
    assert suppressions == []
