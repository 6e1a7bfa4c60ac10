"""Report of a kill loop."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.write_load.check import CheckResult
from benchmarks.write_load.ledger import Writes
from tests.faults.kill_loop.loop import Record


@dataclass(frozen=True)
class Report:
    """Kills, writes, reads and the result of the checks."""

    records: Mapping[str, Record]
    writes: Writes
    reads: Mapping[str, Any]
    probe_faults: Mapping[int, int]
    """Answers of the health probe by status: server errors other than 503."""
    check_result: CheckResult
    is_level: bool
    is_equal: bool
    """Whether ``verify --all`` says so."""

    @property
    def faults(self) -> int:
        """How many answers were server errors other than 503."""
        of_reads = sum(
            int(number)
            for where, number in self.reads["failed where"].items()
            if where.rpartition(" ")[2].startswith("5")
        )
        return self.writes.faults + of_reads + sum(self.probe_faults.values())

    @property
    def is_right(self) -> bool:
        """Whether no write is lost or applied twice, and no request met a fault of ours."""
        return (
            self.check_result.is_right
            and not self.writes.refused
            and not self.faults
            and self.is_level
            and self.is_equal
        )

    def show(self, console: Console) -> None:
        """Print a table of the kills and the checks' result."""
        table = Table(
            "killed with -9, or refused", "times", "longest until well", "until back itself"
        )
        for name, record in self.records.items():
            seconds = (record.longest_unwell_seconds, record.longest_away_seconds)
            table.add_row(name, str(record.kills), *(f"{each:.1f} s" for each in seconds))
        console.print(table)
        for line in (*self._lines(), *self.check_result.shown):
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _lines(self) -> Iterator[str]:
        writes, result = self.writes, self.check_result
        longest = max((r.longest_unwell_seconds for r in self.records.values()), default=0.0)
        yield (
            f"kills {sum(record.kills for record in self.records.values())},"
            f" longest until a write and a read were answered {longest:.1f} s"
        )
        yield (
            f"accepted writes {writes.accepted:,}; sent again {writes.repeated:,}: of those"
            f" without an answer {writes.had_been_done:,} had been done,"
            f" {writes.had_not_been_done:,} had not; refused {writes.refused}"
        )
        yield f"reads {self.reads}"
        yield f"server errors other than 503: {self.faults}"
        yield f"values looked at {result.values:,}: lost {result.lost}, twice {result.twice}"
        yield "level: " + ("yes" if self.is_level else "no")
        yield "verify --all: " + ("equal" if self.is_equal else "differs")
