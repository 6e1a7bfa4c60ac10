"""A measurement with its calibration, ratio and gate: one row of the table."""

from typing import Literal

import msgspec


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement beside its calibration: the ratio of the two is the gate."""

    group: str
    name: str
    measured: float
    unit: str
    calibration: str
    """Describes the calibration."""
    calibrated: float
    gate: float | None = None
    """Limit of the ratio, from below (``at_least``) or above (``at_most``); None: no limit."""
    sense: Literal["at_least", "at_most"] = "at_least"
    spread: float = 0.0
    """Range of the calibration's turns, as a share of their median."""
    note: str = ""

    @property
    def ratio(self) -> float:
        """Measured over calibrated."""
        return self.measured / self.calibrated if self.calibrated else 0.0

    @property
    def passes(self) -> bool:
        """Whether the ratio is on the right side of the gate."""
        if self.gate is None:
            return True
        return self.ratio >= self.gate if self.sense == "at_least" else self.ratio <= self.gate

    @property
    def summary(self) -> str:
        """The row in one line of text."""
        return (
            f"{self.name}: {self.measured:,.2f} {self.unit}, {self.ratio:.2f} of {self.calibration}"
            f" ({self.calibrated:,.2f})"
        )
