"""Lock files: made from the requirements of pyproject.toml, and installable on each Python.

One file serves all supported Pythons: environment markers choose among its pins.

``python -m infra.tools.lock_files check`` needs no network: each lock file carries the digest of
the requirements it was made from. ``resolve`` asks the package index whether every Python gets a
wheel of each pin, and needs no package beside them. ``write`` is the last step of ``make lock``.
"""

import json
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from infra.tools.supported_python import NEWEST, OLDEST

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-embedded.lock", "requirements-dev.lock")
"""Each with the pins of the one before it: runtime, engines of ``make run``, tests and checks."""

PYTHONS = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
FROM_SOURCE = ("--no-binary", "promise")
"""Pure Python, of graphene-django: there is no wheel of it."""

DIGEST_PREFIX = "# requirements of pyproject.toml: sha256:"
_UV = Path(sys.executable).with_name("uv")


def requirements_digest(pyproject: Path) -> str:
    """Digest the parts of pyproject.toml that the lock files are made from."""
    content = tomllib.loads(pyproject.read_text())
    requirements = [
        content["project"]["requires-python"],
        sorted(content["project"]["dependencies"]),
        sorted(content["project"]["optional-dependencies"]["embedded"]),
        sorted(content["dependency-groups"]["dev"]),
        content["tool"]["uv"]["environments"],
    ]
    return sha256(json.dumps(requirements).encode()).hexdigest()


def write(lock: Path, digest: str) -> None:
    """Put the digest on the lock file's first line."""
    lines = [line for line in lock.read_text().splitlines() if not line.startswith(DIGEST_PREFIX)]
    lock.write_text("\n".join([DIGEST_PREFIX + digest, *lines]) + "\n")


def is_stale(lock: Path, digest: str) -> bool:
    """Whether the lock file was made from other requirements."""
    return not lock.read_text().startswith(f"{DIGEST_PREFIX}{digest}\n")


def pins(lock: str) -> set[str]:
    """The ``name==version`` of a lock file's text, whatever their markers."""
    return set(re.findall(r"^[a-z0-9][\w.-]*==[^\s;]+", lock, re.MULTILINE))


def unresolved(lock: Path, python: str) -> str:
    """Why a Python on Linux can't install a lock file from wheels alone; empty if it can."""
    found = subprocess.run(
        [
            *(_UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate"),
            *("--python-version", python, "--python-platform", "linux"),
            *("--only-binary", ":all:", *FROM_SOURCE, lock),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        return found.stderr.strip()
    missing = pins(found.stdout) - pins(lock.read_text())
    return f"not pinned: {', '.join(sorted(missing))}" if missing else ""


def _check() -> list[str]:
    digest = requirements_digest(ROOT / "pyproject.toml")
    return [
        f"{name} was made from other requirements than pyproject.toml has: run make lock"
        for name in LOCKS
        if is_stale(ROOT / name, digest)
    ]


def _resolve() -> list[str]:
    """Resolve the last lock file, which has all pins, for each Python.

    Side by side: it waits for the network.
    """
    lock = ROOT / LOCKS[-1]
    with ThreadPoolExecutor() as threads:
        reasons = list(threads.map(lambda python: unresolved(lock, python), PYTHONS))
    return [
        f"{lock.name} can't be installed on Python {python}: {reason}"
        for python, reason in zip(PYTHONS, reasons, strict=True)
        if reason
    ]


def main(action: str) -> int:
    """Write or check the digests, or resolve for each Python; exit status 1 for a fault."""
    if action == "write":
        digest = requirements_digest(ROOT / "pyproject.toml")
        for name in LOCKS:
            write(ROOT / name, digest)
        return 0
    faults = _resolve() if action == "resolve" else _check()
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
