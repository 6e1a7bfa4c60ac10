"""Runs a bug's tests on a copy of the tree that has the bug.

The bug is applied to a private copy of the tree, with servers of its own; the named tests run
there. They must fail by an assertion: a test that cannot be collected or set up, or that never
ends, has not caught the bug.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import NamedTuple
from xml.etree import ElementTree as ET

from tests.fixtures import environment
from tests.teeth.bug import Bug, apply

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 900

_FAILED = 1  # pytest's exit status for: tests ran, some failed
_SHOWN = 5000
_BROKEN = ("SyntaxError", "ImportError", "ModuleNotFoundError", "NameError", "IndentationError")


class Bite(NamedTuple):
    """Result of a bug's tests."""

    status: int | None
    """Pytest's exit status; None when it was stopped."""
    caught_by: Sequence[str]
    missed_by: Sequence[str]
    seconds: float
    output: str
    """End of pytest's output, shown when the bug was missed."""

    @property
    def is_caught(self) -> bool:
        """Whether every named test failed."""
        return bool(self.caught_by) and not self.missed_by


@contextmanager
def private_copy() -> Iterator[Path]:
    """A copy of the current tree without built or downloaded files; its servers end with it."""
    with TemporaryDirectory(prefix="marquee-teeth-") as directory:
        Path(directory).chmod(0o755)  # PostgreSQL does not run as root and needs access
        copy = Path(directory) / "tree"
        for name in _files():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
        (copy / ".venv").symlink_to((ROOT / ".venv").resolve())
        try:
            yield copy
        finally:
            if (copy / ".state").exists():
                stop = [sys.executable, "-m", "infra.services", "stop"]
                subprocess.run(stop, cwd=copy, env=_environment("ops"), check=True)


def _files() -> Sequence[str]:
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing_output = subprocess.run(
        listing, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [name for name in listing_output.split("\0") if name and (ROOT / name).is_file()]


def bite(bug: Bug, copy: Path) -> Bite:
    """Put the bug into the copy, run its tests, take it out again."""
    files = {copy / change.file for change in bug.change}
    before = {path: path.read_bytes() for path in files}
    try:
        apply(bug, copy)
        return run(bug.tests, copy, bug.role)
    finally:
        for path, content in before.items():
            path.write_bytes(content)


def run(tests: Sequence[str], copy: Path, role: str) -> Bite:
    """Run these tests in the copy as it is."""
    report = copy.parent / "report.xml"
    report.unlink(missing_ok=True)
    began = monotonic()
    status, output = _pytest([f"--junitxml={report}", *tests], copy, role)
    failed = _failed(report) if status == _FAILED else set()
    caught = [test for test in tests if _is_among(test, failed)]
    missed = [test for test in tests if test not in caught]
    return Bite(status, caught, missed, monotonic() - began, output)


def _pytest(arguments: Sequence[str], copy: Path, role: str) -> tuple[int | None, str]:
    """Exit status (None: timed out) and the end of the output."""
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "--hypothesis-profile=at-once", *arguments],
        cwd=copy,
        env=_environment(role),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # so that it stops its servers
            output, _ = process.communicate()
            return None, output[-_SHOWN:]
        return process.returncode, output[-_SHOWN:]


def _environment(role: str) -> dict[str, str]:
    # Without Python's cache, which misses a second change within one second.
    fixed = {"MARQUEE_ROLE": role, "PYTHONDONTWRITEBYTECODE": "1"}
    return {**environment.given(), **fixed}


def _failed(report: Path) -> set[tuple[str, str]]:
    """Module (and class) and name of each test that failed by an assertion."""
    return {
        (case.get("classname", ""), case.get("name", "").partition("[")[0])
        for case in ET.parse(report).iter("testcase")  # noqa: S314 - pytest wrote it
        for failure in case.iter("failure")
        if not failure.get("message", "").startswith(_BROKEN)
    }


def _is_among(test: str, failed: Iterable[tuple[str, str]]) -> bool:
    path, *classes, name = test.partition("[")[0].split("::")
    module = path.removesuffix(".py").replace("/", ".")
    return (".".join((module, *classes)), name) in failed
