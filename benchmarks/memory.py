"""Peak memory of the platform's processes after an import.

Proportional set size (PSS): memory that several processes share is divided among them, so the sum
over all processes is the memory that the platform takes.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.measurement import Measurement
from benchmarks.stage import Stage

MOST_MIB = 300.0
MOST_OF_THE_PROJECTOR_MIB = 400.0
"""Includes the builders."""

_PROC = Path("/proc")


def rows(stage: Stage) -> Iterable[Measurement]:
    """A row for each process, with its children."""
    for name, process in stage.platform.processes.items():
        most = MOST_OF_THE_PROJECTOR_MIB if name == "projector" else MOST_MIB
        shares = sizes_mib(process.pid)
        yield Measurement(
            group="memory",
            name=f"memory of {name} after the import",
            measured=shares["Pss"],
            unit="MiB (PSS)",
            calibration="what it may have",
            calibrated=most,
            gate=1.0,
            sense="at_most",
            note=f"resident {shares['Rss']:.0f} MiB",
        )


def sizes_mib(pid: int) -> dict[str, float]:
    """PSS and RSS of a process and its descendants."""
    sizes = {"Pss": 0.0, "Rss": 0.0}
    for each in (pid, *_children(pid)):
        for line in (_PROC / str(each) / "smaps_rollup").read_text().splitlines():
            name, _, size = line.partition(":")
            if name in sizes:
                sizes[name] += int(size.split()[0]) / 1024
    return sizes


def _children(pid: int) -> Iterator[int]:
    for task in (_PROC / str(pid) / "task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from _children(child)
