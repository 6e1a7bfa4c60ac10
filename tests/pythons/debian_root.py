"""Debian root: a minimal Debian in a directory, made by debootstrap, in which commands are run.

It shares this machine's network, package index and certificates; mounts and processes are its own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

RELEASES = {"3.11": "bookworm", "3.13": "trixie"}
"""Debian releases by their Python."""

ROOTS = Path("/var/cache/marquee/roots")
CHECKOUT = Path("/srv/marquee")
"""Every account may enter it: the servers run in it as an account of their own."""

_PACKAGES = "python3,python3-venv,make,ca-certificates"
_TOOLS = ("debootstrap", "debian-archive-keyring")

SHARED_FILES = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/pip.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    "~/.config/pip/pip.conf",
    "~/.pip/pip.conf",
)
_SHARED_VARIABLES = ("pip_", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

# In its own mount namespace, so nothing stays mounted, however it ends.
_ENTER = """
set -eu
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
root=$1 directory=$2
shift 2
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$directory" "$@"
"""


@contextmanager
def checkout_in(release: str) -> Iterator[tuple[Path, Path]]:
    """A root of a release, and the path of an empty directory in it for a checkout."""
    if os.geteuid() != 0:
        sys.exit("A Debian root is made by root: sudo make test-python V=...")
    root = _root(release)
    checkout = root / CHECKOUT.relative_to("/")
    shutil.rmtree(checkout, ignore_errors=True)
    checkout.mkdir(parents=True)
    try:
        yield root, CHECKOUT
    finally:
        shutil.rmtree(checkout)


def run(root: Path, directory: Path, command: Sequence[str]) -> int:
    """Run a command in a directory of a root; its exit status. Its processes end with it."""
    _share_files(root)
    return subprocess.run(
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("sh", "-c", _ENTER, "sh", str(root), str(directory), *command),
        ],
        env=environment(os.environ),
        check=False,
    ).returncode


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The variables of a command in a root: where packages come from, and nothing else of ours."""
    shared = {
        name: value
        for name, value in ours.items()
        if name.lower().startswith(_SHARED_VARIABLES) or name in _CERTIFICATES
    }
    return shared | {
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }


def _root(release: str) -> Path:
    """The root of a release; made once, and renamed when complete."""
    root = ROOTS / release
    if not root.exists():
        if not shutil.which("debootstrap"):
            subprocess.run(["apt-get", "-q", "update"], check=True)
            subprocess.run(["apt-get", "-q", "install", "--yes", *_TOOLS], check=True)
        partial = root.with_suffix(".part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        options = ["--variant=minbase", f"--include={_PACKAGES}"]
        subprocess.run(["debootstrap", *options, release, str(partial)], check=True)
        partial.rename(root)
    return root


def _share_files(root: Path) -> None:
    for name in SHARED_FILES:
        source = Path(name).expanduser()
        if source.exists():
            target = root / Path(name.replace("~", "/root")).relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # it may be a link that leads out of the root
            shutil.copyfile(source, target)
