"""Peak memory of the platform's processes after an import.

Proportional set size: what a process shares with others counts in shares, so that the sum of all is
what the platform takes of the machine.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.measurement import Measurement
from benchmarks.stage import Stage

MOST_MIB = 300.0
MOST_OF_THE_PROJECTOR_MIB = 400.0
"""It has the list builders in it."""

_PROC = Path("/proc")


def rows(stage: Stage) -> Iterable[Measurement]:
    """A line a process, with its children."""
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
    """Pss and Rss of a process and all that it started."""
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
