"""Peak resident memory of a process and its children."""

from pathlib import Path


class PeakMemory:
    """The largest peak of all sampled processes."""

    def __init__(self) -> None:
        self.largest_mib = 0.0

    def sample(self, pid: int) -> None:
        """Read the peaks of a process and its children."""
        for each in (pid, *_children(pid)):
            self.largest_mib = max(self.largest_mib, _peak_mib(each))


def _peak_mib(pid: int) -> float:
    """Peak resident memory of a process; 0 if it has ended."""
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
