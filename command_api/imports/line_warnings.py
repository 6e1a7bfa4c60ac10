"""What is to be said of a file's lines, without a word for each of millions?"""

import sys
from dataclasses import dataclass, field
from typing import IO

SHOWN = 20


@dataclass
class LineWarnings:
    """Tells the first at once, and counts them all."""

    name: str
    what: str
    """What all of them are called."""
    out: IO[str] = field(default_factory=lambda: sys.stderr)
    count: int = 0

    def add(self, number: int, remark: str) -> None:
        """One more."""
        self.count += 1
        if self.count <= SHOWN:
            self.out.write(f"{self.name}:{number}: {remark}\n")

    def sum_up(self) -> None:
        """Say how many there were beyond those that were told."""
        if self.count > SHOWN:
            self.out.write(f"{self.name}: {self.count - SHOWN} more {self.what}\n")
