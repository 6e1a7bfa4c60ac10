"""Small disks of servers, which can be filled at once: a tmpfs, or a limit of file sizes.

A tmpfs is made as small as what it holds, so filling it takes no memory. Where none may be mounted,
the server's processes may not write to files for a while.
"""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from infra.services.system_user import SystemUser

_SIZE = "2g"


class SmallDisk(Protocol):
    """The disk of one server."""

    def fill(self) -> None:
        """Let every further write fail."""

    def free(self) -> None:
        """Let writes succeed again."""


@contextmanager
def small_disk(
    path: Path, account: SystemUser, find: Callable[[], Sequence[int]]
) -> Iterator[SmallDisk]:
    """Give a server's empty directory a disk of its own; ``find`` returns its processes."""
    owner = f"uid={account.uid},gid={account.gid},mode=0700"
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},{owner}", "tmpfs", str(path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield _FileSizeLimit(find)
        return
    try:
        yield _Tmpfs(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


class _Tmpfs:
    def __init__(self, path: Path) -> None:
        self._path = path

    def fill(self) -> None:
        now = os.statvfs(self._path)
        self._resize(str((now.f_blocks - now.f_bfree) * now.f_frsize))

    def free(self) -> None:
        self._resize(_SIZE)

    def _resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self._path)], check=True)


class _FileSizeLimit:
    def __init__(self, find: Callable[[], Sequence[int]]) -> None:
        self._find = find

    def fill(self) -> None:
        self._limit(0)

    def free(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        for pid in self._find():
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                limit = hard if size == resource.RLIM_INFINITY else size
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))
