"""Which lines could not be taken, and why?"""

import sys
from dataclasses import dataclass, field
from typing import IO

from command_api.imports.lines import Line

SHOWN = 20


@dataclass
class Broken:
    """Tells of a file's first broken lines at once, and counts them all."""

    name: str
    out: IO[str] = field(default_factory=lambda: sys.stderr)
    count: int = 0
    torn: str | None = None
    """Why the rest of the file could not be read at all."""

    def add(self, number: int, reason: str) -> None:
        """One more."""
        self.count += 1
        if self.count <= SHOWN:
            self.out.write(f"{self.name}:{number}: {reason}\n")

    def tear(self, line: Line) -> None:
        """Nothing can be read from here on."""
        self.torn = f"{self.name}:{line.number}: {line.broken}"

    def sum_up(self) -> None:
        """Say how many there were beyond those that were told."""
        if self.count > SHOWN:
            self.out.write(f"{self.name}: {self.count - SHOWN} more broken lines\n")
