"""Report of a benchmark run: the table on screen and the JSON file in results/."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.measurement import Measurement
from infra.platform.processes import HOME

RESULTS = HOME / "benchmarks" / "results"
NOISY = 0.25
"""Spread of a calibration beyond which it was disturbed, and the ratio is unreliable."""
_PACKAGES = (
    "django",
    "djangorestframework",
    "psycopg2-binary",
    "redis",
    "pika",
    "granian",
    "msgspec",
)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine that the benchmarks ran on."""

    cores: int
    processor: str
    memory_gib: int
    system: str
    python: str
    packages: dict[str, str]
    servers: Mapping[str, str]
    load_before: float
    load_after: float


class RecordedMeasurement(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement with its ratio and verdict."""

    row: Measurement
    ratio: float
    passes: bool


class BenchmarkRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the benchmarks, as its JSON file holds it."""

    at: datetime
    commit: str
    machine: Machine
    ratings: str
    rows: Sequence[RecordedMeasurement]


def describe(load_before: float, servers: Mapping[str, str]) -> Machine:
    """Describe this machine and its load now; ``servers`` are the servers' versions."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cores=os.cpu_count() or 0,
        processor=_processor(),
        memory_gib=round(pages / 2**30),
        system=platform.platform(),
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
        servers=servers,
        load_before=load_before,
        load_after=os.getloadavg()[0],
    )


def keep(rows: Sequence[Measurement], machine: Machine, *, ratings: str) -> Path:
    """Save the run in benchmarks/results; return the path of the file."""
    at = datetime.now(UTC)
    commit = _commit()
    run = BenchmarkRun(
        at=at,
        commit=commit,
        machine=machine,
        ratings=ratings,
        rows=[
            RecordedMeasurement(row=row, ratio=round(row.ratio, 3), passes=row.passes)
            for row in rows
        ],
    )
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{at:%Y%m%dT%H%M%SZ}-{commit}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
    return path


def show(rows: Sequence[Measurement], machine: Machine, console: Console) -> None:
    """Print the table, the notes, and which calibrations were noisy."""
    table = Table("what", "measured", "calibration", "calibrated", "ratio", "gate", "")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.measured:,.1f} {row.unit}",
            row.calibration,
            f"{row.calibrated:,.1f}",
            f"{row.ratio:.2f}",
            _gate(row),
            _verdict(row),
        )
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.name}: {row.note}", highlight=False)
    noisy = [row.name for row in rows if row.spread > NOISY]
    if noisy:
        console.print(
            f"[yellow]A noisy run:[/] calibrations of {', '.join(noisy)} moved by more than"
            f" {NOISY:.0%} (load {machine.load_before:.1f} before). Measure again on a quiet one."
        )


def _gate(row: Measurement) -> str:
    if row.gate is None:
        return ""
    return f"{'>=' if row.sense == 'at_least' else '<='} {row.gate}"


def _verdict(row: Measurement) -> str:
    if row.gate is None:
        return ""
    return "[green]reached[/]" if row.passes else "[red]missed[/]"


def _commit() -> str:
    result = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
