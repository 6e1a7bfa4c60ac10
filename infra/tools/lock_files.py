"""Do the lock files belong to what pyproject.toml asks for?

``python -m infra.tools.lock_files check`` needs no network: each lock file carries the digest of
the requirements it was made from. ``python -m infra.tools.lock_files write`` is the last step of
``make lock``.
"""

import json
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
MARK = "# requirements of pyproject.toml: sha256:"


def digest(pyproject: Path) -> str:
    """What the lock files depend on, as one word."""
    asked = tomllib.loads(pyproject.read_text())
    wanted = [
        asked["project"]["requires-python"],
        sorted(asked["project"]["dependencies"]),
        sorted(asked["project"]["optional-dependencies"]["embedded"]),
        sorted(asked["dependency-groups"]["dev"]),
    ]
    return sha256(json.dumps(wanted).encode()).hexdigest()


def write(lock: Path, word: str) -> None:
    """Put the digest on the lock file's first line."""
    lines = [line for line in lock.read_text().splitlines() if not line.startswith(MARK)]
    lock.write_text("\n".join([MARK + word, *lines]) + "\n")


def is_stale(lock: Path, word: str) -> bool:
    """Whether the lock file was made from other requirements."""
    return not lock.read_text().startswith(f"{MARK}{word}\n")


def main(action: str) -> int:
    """Write the digests or check them; the exit code says whether they agree."""
    word = digest(ROOT / "pyproject.toml")
    if action == "write":
        for name in LOCKS:
            write(ROOT / name, word)
        return 0
    stale = [name for name in LOCKS if is_stale(ROOT / name, word)]
    for name in stale:
        print(f"{name} was made from other requirements than pyproject.toml's: run make lock")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
