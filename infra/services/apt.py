"""Installs missing Debian packages without upgrading or starting anything.

A policy file (policy-rc.d) keeps packages from starting services during the installation.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.services.errors import NotInstalled, ServiceError
from infra.services.paths import cache_dir, locked
from infra.services.progress import say

_POLICY = Path("/usr/sbin/policy-rc.d")
_SAVED_POLICY = Path("/usr/sbin/policy-rc.d.before-marquee")
_FORBID = "#!/bin/sh\n# Written by marquee for the time of an installation.\nexit 101\n"


def install(missing: Sequence[str]) -> None:
    """Install with apt-get; raises NotInstalled with the command to run if not root."""
    packages = " ".join(missing)
    if os.geteuid() != 0:
        raise NotInstalled(
            f"Not installed: {packages}. Run `sudo apt-get install {packages}`, or start as root."
        )
    say("packages", f"installing {packages}")
    with locked(cache_dir() / "packages.lock"), _no_services_start():
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", "--no-upgrade", *missing)


def _apt_get(*arguments: str) -> None:
    try:
        subprocess.run(
            ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=600", *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
    except FileNotFoundError as error:
        raise NotInstalled(
            "apt-get is missing on this system: install the servers by hand."
        ) from error
    except subprocess.CalledProcessError as error:
        raise ServiceError(f"apt-get {arguments[0]} failed; see its output above.") from error


@contextmanager
def _no_services_start() -> Iterator[None]:
    _restore()  # an earlier installation may have been killed
    if _POLICY.exists():
        _POLICY.rename(_SAVED_POLICY)
    _POLICY.write_text(_FORBID)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _restore()


def _restore() -> None:
    if _POLICY.exists() and _POLICY.read_text() == _FORBID:
        _POLICY.unlink()
    if _SAVED_POLICY.exists():
        _SAVED_POLICY.rename(_POLICY)
