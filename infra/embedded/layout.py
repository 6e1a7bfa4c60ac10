"""Paths inside a data directory."""

import hashlib
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.services.errors import NotUsable
from infra.services.paths import elsewhere, is_passable, server_dir
from infra.services.system_user import SystemUser, unprivileged

# The kernel's limit for a socket's path, less the longest file name in that directory.
_MAX_DIRECTORY_LENGTH = 107 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Layout:
    """A platform's directory, and the account that its servers run as."""

    base: Path
    account: SystemUser

    @property
    def logs(self) -> Path:
        """Log files, one per process."""
        return self.base / "logs"

    @property
    def keys(self) -> Path:
        """Keys made by infra.security.keys."""
        return self.base / "keys"

    @property
    def index(self) -> Path:
        """The search index."""
        return self.base / "search"

    def home(self, server: str) -> Path:
        """A server's own directory."""
        return server_dir(self.base, server, self.account)

    @property
    def sockets(self) -> Path:
        """Directory of the servers' sockets; other users may not enter it."""
        sockets = self.base / "sockets"
        if len(str(sockets)) <= _MAX_DIRECTORY_LENGTH:
            return self.home("sockets")
        digest = hashlib.sha256(str(self.base).encode()).hexdigest()[:12]
        return self._own(Path(tempfile.gettempdir()) / f"marquee-{digest}")

    def _own(self, directory: Path) -> Path:
        """Make a private directory under a world-writable one; refuse one that others made."""
        try:
            directory.mkdir(mode=0o700)
            self.account.own(directory)
        except FileExistsError:
            status = directory.lstat()
            is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == self.account.uid
            if not is_ours or stat.S_IMODE(status.st_mode) & 0o077:
                raise NotUsable(f"{directory} is not ours: remove it and start again.") from None
        return directory


def layout_of(directory: Path) -> Layout:
    """The layout of a directory, or of its substitute if the servers' account can't reach it."""
    account = unprivileged()
    requested = directory.absolute()
    try:
        base = requested if account.is_ours or is_passable(requested) else elsewhere(requested)
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotUsable(
            f"{requested} can't be written ({error.strerror})."
            " Use another directory: make run DATA=DIR"
        ) from error
    return Layout(base, account)
