"""Small disks of servers, which can be filled at once: a tmpfs, or a limit of file sizes.

A tmpfs is made as small as what it holds, so filling it takes no memory. Where none may be mounted,
the server's processes may not write to files for a while: Redis refuses writes then, and PostgreSQL
ends, as it can't write its log.
"""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from infra.services.process_table import as_account
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
        yield _FileSizeLimit(account, find)
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
    def __init__(self, account: SystemUser, find: Callable[[], Sequence[int]]) -> None:
        self._account = account
        self._find = find

    def fill(self) -> None:
        self._limit("0")

    def free(self) -> None:
        _, inherited = resource.getrlimit(resource.RLIMIT_FSIZE)
        self._limit("unlimited" if inherited == resource.RLIM_INFINITY else str(inherited))

    def _limit(self, size: str) -> None:
        for pid in self._find():
            # As the account: root without CAP_SYS_RESOURCE may not limit others' processes.
            limiting = subprocess.run(
                ["prlimit", f"--pid={pid}", f"--fsize={size}:"],
                check=False,
                capture_output=True,
                text=True,
                **as_account(self._account),
            )
            if limiting.returncode and pid in self._find():
                raise RuntimeError(f"Process {pid} can't be limited: {limiting.stderr.strip()}")
