"""``make test-python V=3.13``: a first run from nothing with one Python.

With the Python of the Debian release that has this version, in a root of that release; with any
other version as it is installed on this machine. It works on a copy of the checkout, and needs only
the standard library.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.tools.supported_python import RANGE
from tests.pythons import debian_root

ROOT = Path(__file__).resolve().parents[2]
FIRST_RUN = "tests/pythons/first_run.py"


def main(version: str) -> int:
    """Run it; the exit status of the first run."""
    if release := debian_root.RELEASES.get(version):
        with debian_root.checkout_in(release) as (root, checkout):
            copy_checkout(root / checkout.relative_to("/"))
            command = ["python3", FIRST_RUN, f"python{version}"]
            return debian_root.run(root, checkout, command)
    if not (python := shutil.which(f"python{version}")):
        sys.exit(f"No python{version} on this machine. Marquee runs on Python {RANGE}.")
    with _directory() as checkout:
        copy_checkout(checkout)
        return subprocess.run([python, FIRST_RUN, python], cwd=checkout, check=False).returncode


def copy_checkout(target: Path) -> None:
    """Copy the files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@contextmanager
def _directory() -> Iterator[Path]:
    with TemporaryDirectory(prefix="marquee-python-") as directory:
        Path(directory).chmod(0o755)  # so that the servers' account may enter it
        yield Path(directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
