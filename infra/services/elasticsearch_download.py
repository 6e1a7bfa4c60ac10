"""Fetches the Elasticsearch distribution with Maven.

Its publisher distributes the server through Maven, too. It is unpacked once for all checkouts of a
user, which only read it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from infra.services.errors import ServiceError
from infra.services.paths import cache_dir, locked
from infra.services.progress import say

VERSION = "8.19.5"
_ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
_EVERYONE_READS = 0o755


def is_unpacked() -> bool:
    return _target().exists()


def packages() -> Sequence[str]:
    return () if shutil.which("mvn") else ("maven",)


def unpacked() -> Path:
    """The server's directory, fetched if it is missing."""
    with locked(cache_dir() / "elasticsearch.lock"):
        if not is_unpacked():
            _fetch()
    return _target()


def _target() -> Path:
    return cache_dir() / f"elasticsearch-{VERSION}"


def _fetch() -> None:
    with tempfile.TemporaryDirectory(dir=cache_dir()) as directory:
        scratch = Path(directory)
        say("elasticsearch", f"fetching {VERSION} with Maven (95 MB)")
        _run_maven(scratch)
        archive = next(scratch.glob("*.zip"), None)
        if archive is None:
            raise ServiceError(f"Maven fetched no archive for {_ARTIFACT}.")
        say("elasticsearch", "unpacking")
        _unpack(archive, scratch)
        (scratch / _target().name).rename(_target())


def _run_maven(into: Path) -> None:
    try:
        subprocess.run(
            [
                *("mvn", "--batch-mode", "--no-transfer-progress", "--quiet", "dependency:copy"),
                *(f"-Dartifact={_ARTIFACT}", "-Dtransitive=false", f"-DoutputDirectory={into}"),
            ],
            check=True,
            cwd=into,
            stdout=sys.stderr,
        )
    except subprocess.CalledProcessError as error:
        raise ServiceError(f"Maven could not fetch {_ARTIFACT}; see its output above.") from error


def _unpack(archive: Path, into: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        content.extractall(into)
        for entry in content.infolist():
            # zipfile forgets modes; the servers' account must read what root unpacked.
            mode = entry.external_attr >> 16 & 0o777
            default = _EVERYONE_READS if entry.is_dir() else 0o644
            (into / entry.filename).chmod(mode or default)
    for directory, _, files in os.walk(into / _target().name):
        if Path(directory).name == "bin":
            for name in files:
                (Path(directory) / name).chmod(_EVERYONE_READS)
