"""Finds the servers' programs in their wheels.

The wheels contain the original programs. Their Python code is not used: its servers outlive their
starter, it widens the permissions of all parent directories, and it puts sockets elsewhere.
"""

import shutil
import stat
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from infra.services.errors import NotInstalled
from infra.services.paths import elsewhere, is_passable
from infra.services.system_user import SystemUser

_OWNER_READS_AND_RUNS, _TO_OTHERS = stat.S_IRUSR | stat.S_IXUSR, 6


def programs(package: str, folder: str, account: SystemUser) -> Path:
    """The ``folder`` of an installed package, copied if the account can't run its programs."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NotInstalled(
            f"The package {package} is not installed: it is in requirements-dev.lock and in the"
            " extra named embedded."
        )
    directory = Path(spec.submodule_search_locations[0]) / folder
    if account.is_ours or is_passable(directory):
        return directory
    return _copy(directory, f"{package}-{version(package)}")


def _copy(source: Path, name: str) -> Path:
    """Copy programs for the servers' account: it can't enter root's directories."""
    copy = elsewhere(source) / name
    if not copy.exists():
        part = copy.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(source, part)
        for path in (part, *part.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (mode & _OWNER_READS_AND_RUNS) >> _TO_OTHERS)
        part.rename(copy)
    return copy
