"""Lock files: checks that they were made from the requirements of pyproject.toml.

``python -m infra.tools.lock_files check`` needs no network: each lock file carries the digest of
the requirements it was made from. ``python -m infra.tools.lock_files write`` is the last step of
``make lock``.
"""

import json
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
DIGEST_PREFIX = "# requirements of pyproject.toml: sha256:"


def requirements_digest(pyproject: Path) -> str:
    """Digest the parts of pyproject.toml that the lock files are made from."""
    content = tomllib.loads(pyproject.read_text())
    requirements = [
        content["project"]["requires-python"],
        sorted(content["project"]["dependencies"]),
        sorted(content["project"]["optional-dependencies"]["embedded"]),
        sorted(content["dependency-groups"]["dev"]),
    ]
    return sha256(json.dumps(requirements).encode()).hexdigest()


def write(lock: Path, digest: str) -> None:
    """Put the digest on the lock file's first line."""
    lines = [line for line in lock.read_text().splitlines() if not line.startswith(DIGEST_PREFIX)]
    lock.write_text("\n".join([DIGEST_PREFIX + digest, *lines]) + "\n")


def is_stale(lock: Path, digest: str) -> bool:
    """Whether the lock file was made from other requirements."""
    return not lock.read_text().startswith(f"{DIGEST_PREFIX}{digest}\n")


def main(action: str) -> int:
    """Write or check the digests; exit code 1 if a lock file is stale."""
    digest = requirements_digest(ROOT / "pyproject.toml")
    if action == "write":
        for name in LOCKS:
            write(ROOT / name, digest)
        return 0
    stale = [name for name in LOCKS if is_stale(ROOT / name, digest)]
    for name in stale:
        print(f"{name} was made from other requirements than pyproject.toml has: run make lock")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
