"""Peak resident memory of a process and its children."""

from pathlib import Path


class PeakMemory:
    """The largest that any of the processes looked at ever was."""

    def __init__(self) -> None:
        self.largest_mib = 0.0

    def look(self, pid: int) -> None:
        """Look at a process and those that it started."""
        for each in (pid, *_children(pid)):
            self.largest_mib = max(self.largest_mib, _peak_mib(each))


def _peak_mib(pid: int) -> float:
    """The most memory that a process ever had resident; 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _children(pid: int) -> list[int]:
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in listed.split()]
