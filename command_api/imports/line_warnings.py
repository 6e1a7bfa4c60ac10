"""Warnings about a file's lines: the first few are printed, all are counted."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from infra.line_reader import FileLine

SHOWN = 20


@dataclass
class LineWarnings:
    """Prints the first ``SHOWN`` warnings at once and counts all."""

    name: str
    what: str
    """What the warnings are about, for the summary line."""
    out: IO[str] = field(default_factory=lambda: sys.stderr)
    count: int = 0

    def add(self, number: int, warning: str) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self.out.write(f"{self.name}:{number}: {warning}\n")

    def sum_up(self) -> None:
        """Print how many warnings were not shown."""
        if self.count > SHOWN:
            self.out.write(f"{self.name}: {self.count - SHOWN} more {self.what}\n")


@dataclass
class RejectedLines(LineWarnings):
    what: str = "broken lines"
    damage: str | None = None
    """Where and why the rest of the file can't be read."""

    def readable(self, lines: Iterable[FileLine]) -> Iterator[FileLine]:
        """The lines that aren't blank, up to the place where the file is damaged."""
        for line in lines:
            if line.is_damaged:
                self.damage = f"{self.name}:{line.number}: {line.error}"
                return
            if not line.is_blank:
                yield line
