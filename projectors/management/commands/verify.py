"""How does a person see that the read models hold what the log says?"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from events.store import EventStore
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.fates import AgainLater
from projectors.holding import Moving
from projectors.live import Live, NotReady
from projectors.opened import opening
from projectors.read_model import Opening, ReadModel
from projectors.registry import MODELS, make_builders
from projectors.verify import Advance, Checked, Verdict, verify


class Command(BaseCommand):
    """``manage.py verify``"""

    help = (
        "Live state of read models against a fold of the log at the same offsets, and derived data"
        " against what it would be if made now. Exit 1 if anything differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which models."""
        names = [model.name for model in MODELS]
        parser.add_argument("name", nargs="*", metavar="NAME", help=", ".join(names))
        parser.add_argument("--all", action="store_true", help="every read model")

    def handle(self, *_args: object, **options: Any) -> None:
        """Compare one model after the other and print a table."""
        store = PostgresStore(config().partitions)
        live = Live(clients.redis())
        models = _opened(_chosen(options["name"], is_all=options["all"]), live)
        open_all = opening()
        try:
            with _progress(models, store) as advances:
                verdicts = [
                    _verified(model, store, live, open_all, advance)
                    for model, advance in zip(models, advances, strict=True)
                ]
        except (AgainLater, Moving) as error:
            raise CommandError(f"Could not be compared: {error}") from error
        _print(verdicts)
        if any(verdict.differences for verdict in verdicts):
            sys.exit(1)


def _chosen(names: Sequence[str], *, is_all: bool) -> Sequence[type[ReadModel]]:
    known = {model.name: model for model in MODELS}
    if unknown := set(names) - set(known):
        raise CommandError(f"No read model is called {', '.join(sorted(unknown))}.")
    if bool(names) == is_all:
        raise CommandError("Name the read models to verify, or say --all.")
    return MODELS if is_all else [known[name] for name in names]


def _opened(models: Sequence[type[ReadModel]], live: Live) -> Sequence[ReadModel]:
    try:
        return [live.open(model) for model in models]
    except NotReady as error:
        raise CommandError(f"{error} has no live generation yet.") from error


def _verified(
    model: ReadModel, store: EventStore, live: Live, open_all: Opening, advance: Advance
) -> Verdict:
    verdict = verify(model, store, advance=advance, opening=open_all)
    for builder in make_builders({model.name: model}, live, store.partitions):
        if isinstance(builder, Checked):
            verdict.differs(builder.check(datetime.now(UTC)))
    return verdict


@contextmanager
def _progress(models: Sequence[ReadModel], store: EventStore) -> Iterator[Sequence[Advance]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        total = sum(store.heads())
        tasks = [progress.add_task(model.name, total=total) for model in models]
        yield [partial(progress.advance, task) for task in tasks]


def _print(verdicts: Sequence[Verdict]) -> None:
    console = Console()
    for verdict in verdicts:
        for line in verdict.shown:
            console.print(f"{verdict.model}: {line}", markup=False, highlight=False, soft_wrap=True)
        if verdict.differences > len(verdict.shown):
            hidden = verdict.differences - len(verdict.shown)
            console.print(f"{verdict.model}: and {hidden:,} more", highlight=False)
    table = Table("read model", "generation", "shards", "events folded", "keys", "verdict")
    for verdict in verdicts:
        differs = f"{verdict.differences:,} differ" if verdict.differences else "equal"
        counts = (verdict.generation, verdict.shards, verdict.events, verdict.keys)
        table.add_row(verdict.model, *(f"{count:,}" for count in counts), differs)
    console.print(table)
