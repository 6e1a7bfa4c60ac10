"""Paths inside a data directory."""

import hashlib
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.services.errors import NotUsable
from infra.services.paths import elsewhere, is_passable, server_dir
from infra.services.system_user import SystemUser, unprivileged

# The kernel's limit for the path of a socket, less the longest name that a server puts there.
_LONGEST_SOCKETS = 107 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Layout:
    """A platform's directory, and the account that its servers run as."""

    base: Path
    account: SystemUser

    @property
    def logs(self) -> Path:
        """A file a process."""
        return self.base / "logs"

    @property
    def keys(self) -> Path:
        """What infra.security.keys makes."""
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
        """Where the servers answer; a directory that nobody else may enter."""
        near = self.base / "sockets"
        if len(str(near)) <= _LONGEST_SOCKETS:
            return self.home("sockets")
        digest = hashlib.sha256(str(self.base).encode()).hexdigest()[:12]
        return self._own(Path(tempfile.gettempdir()) / f"marquee-{digest}")

    def _own(self, directory: Path) -> Path:
        """Anybody may write beside it, so it must be what we made, and not a link."""
        try:
            directory.mkdir(mode=0o700)
            self.account.own(directory)
        except FileExistsError:
            found = directory.lstat()
            is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == self.account.uid
            if not is_ours or stat.S_IMODE(found.st_mode) & 0o077:
                raise NotUsable(f"{directory} is not ours: move it away.") from None
        return directory


def layout_of(directory: Path) -> Layout:
    """The place for a directory; one that the servers' account can't reach has a stand-in."""
    account = unprivileged()
    wanted = directory.absolute()
    try:
        base = wanted if account.is_ours or is_passable(wanted) else elsewhere(wanted)
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotUsable(
            f"{wanted} can't be written ({error.strerror}). Another directory: make run DATA=DIR"
        ) from error
    return Layout(base, account)
