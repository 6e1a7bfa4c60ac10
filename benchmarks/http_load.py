"""How is an API put under load? By wrk, which needs little of the processor itself."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from infra.services import apt

_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


class LoadResult(NamedTuple):
    """What wrk saw."""

    per_second: float
    median_us: float


class LoadFailed(Exception):
    """Answers were errors, so the numbers mean nothing."""


def wrk(
    url: str,
    *,
    connections: int,
    seconds: int,
    headers: Mapping[str, str] | None = None,
    script: Path | None = None,
) -> LoadResult:
    """Requests for some seconds over so many connections; raises LoadFailed for any error."""
    if not shutil.which("wrk"):
        apt.install(["wrk"])
    command = ["wrk", "--latency", "-t", "1", "-c", str(connections), "-d", f"{seconds}s"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    if script:
        command += ["-s", str(script)]
    said = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise LoadFailed(f"{url}:\n{said}")
    return LoadResult(float(_find(r"Requests/sec:\s+([\d.]+)", said)), _median_us(said))


def _median_us(said: str) -> float:
    number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr] # --latency prints it
    return float(number) * _UNITS[unit]


def _find(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    if not found:
        raise LoadFailed(said)
    return found.group(1)
