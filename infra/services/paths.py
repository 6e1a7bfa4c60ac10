"""Directories of a checkout's servers, and those shared by all checkouts."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.services.system_user import SystemUser

CHECKOUT = Path(__file__).resolve().parents[2]
_SHARED_STATE = Path("/var/lib/marquee")
_TMP = Path("/tmp")  # noqa: S108 - recognised, not written to
_ANYONE_MAY_PASS = 0o001


def state_dir() -> Path:
    """This checkout's state directory: ``MARQUEE_STATE_DIR``, by default .state."""
    return Path(os.environ.get("MARQUEE_STATE_DIR") or CHECKOUT / ".state").absolute()


def services_dir() -> Path:
    """Directory of this checkout's servers."""
    return state_dir() / "services"


def cache_dir() -> Path:
    """Directory for downloads, shared by all checkouts of a user."""
    if os.geteuid() == 0:
        return Path("/var/cache/marquee")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "marquee"


def server_dir(services: Path, server: str, account: SystemUser) -> Path:
    """A server's own directory, which ``account`` owns and can reach."""
    parent = services if account.is_ours or is_passable(services) else elsewhere(services)
    home = parent / server
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    account.own(home)
    return home


def outside_tmp(directory: Path) -> Path:
    """The same directory, or a substitute in the cache for one under /tmp."""
    if not directory.is_relative_to(_TMP):
        return directory
    return cache_dir() / "checkouts" / _digest(directory)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file lock; the kernel releases it if the process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_passable(path: Path) -> bool:
    """Whether every account may enter a directory and its parents; makes it if missing."""
    path.mkdir(parents=True, exist_ok=True)
    return all(each.stat().st_mode & _ANYONE_MAY_PASS for each in (path, *path.parents))


def elsewhere(services: Path) -> Path:
    """The substitute for a directory that the servers' account can't enter, as one of root's."""
    return _SHARED_STATE / _digest(services)


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]
