"""Which lines could not be taken, and why?"""

from dataclasses import dataclass

from command_api.imports.line_reader import FileLine
from command_api.imports.line_warnings import LineWarnings


@dataclass
class RejectedLines(LineWarnings):
    """Tells of a file's first broken lines at once, and counts them all."""

    what: str = "broken lines"
    torn: str | None = None
    """Why the rest of the file could not be read at all."""

    def tear(self, line: FileLine) -> None:
        """Nothing can be read from here on."""
        self.torn = f"{self.name}:{line.number}: {line.broken}"
