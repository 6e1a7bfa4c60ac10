"""The system user that servers run as.

PostgreSQL and Elasticsearch refuse to run as root, and no server needs root. Started by root, all
servers run as one system account; started by anyone else, they run as that user.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAME = "marquee"


@dataclass(frozen=True, kw_only=True)
class SystemUser:
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    def own(self, *paths: Path) -> None:
        """Hand paths to this account; a no-op for the current user."""
        for path in paths:
            os.chown(path, self.uid, self.gid)


def current() -> SystemUser:
    return SystemUser(uid=os.geteuid(), gid=os.getegid())


def unprivileged() -> SystemUser:
    """The account for servers; created if root runs this for the first time."""
    if os.geteuid() != 0:
        return current()
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        _create()
        entry = pwd.getpwnam(NAME)
    return SystemUser(uid=entry.pw_uid, gid=entry.pw_gid)


def _create() -> None:
    subprocess.run(
        [
            "/usr/sbin/useradd",
            *("--system", "--user-group", "--no-create-home"),
            *("--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", NAME),
        ],
        check=True,
    )
