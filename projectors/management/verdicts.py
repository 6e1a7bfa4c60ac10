"""Prints verdicts: the first differences, then a table."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from projectors.verification.state import Verdict


def print_verdicts(verdicts: Sequence[Verdict], console: Console) -> None:
    """The first differences, a line each, and a table of all that was compared."""
    for verdict in verdicts:
        for line in verdict.shown:
            console.print(f"{verdict.model}: {line}", markup=False, highlight=False, soft_wrap=True)
        if verdict.differences > len(verdict.shown):
            hidden = verdict.differences - len(verdict.shown)
            console.print(f"{verdict.model}: and {hidden:,} more", highlight=False)
    table = Table("read model", "generation", "shards", "events", "keys", "verdict")
    for verdict in verdicts:
        counts = (verdict.generation, verdict.shards, verdict.events, verdict.keys)
        table.add_row(verdict.model, *(f"{count:,}" for count in counts), verdict.summary)
    console.print(table)
