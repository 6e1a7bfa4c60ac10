"""Dry run: what a rebuild would change, and how long it would take."""

from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from rich.console import Console
from rich.table import Table

from events.store import EventStore
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.consumer.decryption import decryptor
from projectors.generations.live import Live, NotReady
from projectors.rebuild import plan
from projectors.rebuild.job import RebuildOptions
from projectors.storage.read_model import ReadModel
from projectors.verification.pages import KeptPages, LogPages
from projectors.verification.state import verify

_SAMPLE = 5000
_WRITE_FACTOR = 2.0
"""The sample measures reading, decoding and projecting: about half the time of a rebuild."""


def preview(kinds: Sequence[type[ReadModel]], options: RebuildOptions, console: Console) -> None:
    """Compare the live generations with the log, measure a sample, print the estimate."""
    store = PostgresStore(config().partitions)
    live = Live(clients.redis())
    events = sum(plan.offsets_at(store, options.until) if options.until else store.heads())
    pages = KeptPages(store)
    table = Table("read model", "live now", "events to read", "what would change", "about")
    total = 0.0
    for kind in kinds:
        seconds = _seconds(kind, store, events) / options.processes
        total += seconds
        number, change = _change(kind, live, pages, options.until)
        table.add_row(kind.name, number, f"{events:,}", change, f"{seconds:,.0f} s")
    console.print(table)
    console.print(
        f"About {total:,.0f} s in all for state and derived data, with {options.processes}"
        " processes. Nothing was changed.",
        highlight=False,
    )


def _change(
    kind: type[ReadModel], live: Live, log: LogPages, until: datetime | None
) -> tuple[str, str]:
    """The live generation's number, and what would change."""
    try:
        model = live.open(kind)
    except NotReady:
        return "none", "one more generation" if until else "it would become live"
    number = str(model.generation)
    if until:
        return number, "one more generation"
    if not plan.is_same_shape(model):
        return number, "new format"
    verdict = verify(model, log, decrypt=decryptor())
    for line in verdict.lines:
        Console(stderr=True).print(line, markup=False, highlight=False)
    return number, f"{verdict.differences:,} elements" if verdict.differences else "nothing: equal"


def _seconds(kind: type[ReadModel], store: EventStore, events: int) -> float:
    """How long one process would need, from a sample of each partition's beginning."""
    model = kind(clients.redis(), 0)
    decrypt = decryptor()
    began, read = monotonic(), 0
    for partition in range(store.partitions):
        page = store.page(partition, after=0, limit=_SAMPLE // store.partitions + 1)
        if page:
            list(model.writes(model.shard(partition), model.decrypted(page, decrypt)))
            read += len(page)
    return _WRITE_FACTOR * events * (monotonic() - began) / max(read, 1)
