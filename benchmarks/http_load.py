"""HTTP load by wrk, which takes little processor time itself."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from infra.services import apt

_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


class LoadResult(NamedTuple):
    """Request rate and latency that wrk measured."""

    per_second: float
    median_us: float


class LoadFailed(Exception):
    """Some responses were errors, so the numbers mean nothing."""


def wrk(
    url: str,
    *,
    connections: int,
    seconds: int,
    headers: Mapping[str, str] | None = None,
    script: Path | None = None,
) -> LoadResult:
    """Send requests for some seconds over some connections; raises LoadFailed for any error."""
    if not shutil.which("wrk"):
        apt.install(["wrk"])
    command = ["wrk", "--latency", "-t", "1", "-c", str(connections), "-d", f"{seconds}s"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    if script:
        command += ["-s", str(script)]
    output = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise LoadFailed(f"{url}:\n{output}")
    return LoadResult(float(_find(r"Requests/sec:\s+([\d.]+)", output)), _median_us(output))


def _median_us(output: str) -> float:
    number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", output).groups()  # type: ignore[union-attr] # --latency prints it
    return float(number) * _UNITS[unit]


def _find(pattern: str, output: str) -> str:
    match = re.search(pattern, output)
    if not match:
        raise LoadFailed(output)
    return match.group(1)
