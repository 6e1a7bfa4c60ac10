"""manage.py verify: compare read models with the log."""

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

from events.store import EventStore
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.building.builder import VerifiableBuilder
from projectors.consumer.decryption import decryptor
from projectors.errors import RetryLater
from projectors.generations.live import Live, NotReady
from projectors.management.arguments import chosen, naming
from projectors.management.verdicts import print_verdicts
from projectors.registry import make_builders
from projectors.storage.read_model import Decrypt, ReadModel
from projectors.verification.state import Advance, Verdict, verify


class Command(BaseCommand):
    """``manage.py verify``"""

    help = (
        "Compare the state of live read models with a fold of the event log at the same offsets,"
        " and derived data with a new build of the state. Recommendation lists are checked for"
        " order, for movies that their user has rated, favourited or hidden, and for a first page"
        " that matches. Projectors keep running. Exit 1 if anything differs or could not"
        " be compared."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which models."""
        naming(parser)

    def handle(self, *_args: object, **options: Any) -> None:
        """Compare one model after the other and print a table."""
        store = PostgresStore(config().partitions)
        live = Live(clients.redis())
        models = _opened(chosen(options["name"], is_all=options["all"], what="verify"), live)
        decrypt = decryptor()
        try:
            with _progress(models, store) as advances:
                verdicts = [
                    _verified(model, store, live, decrypt, advance)
                    for model, advance in zip(models, advances, strict=True)
                ]
        except RetryLater as error:
            raise CommandError(f"Could not be compared: {error}") from error
        print_verdicts(verdicts, Console())
        if any(verdict.differences for verdict in verdicts):
            sys.exit(1)


def _opened(models: Sequence[type[ReadModel]], live: Live) -> Sequence[ReadModel]:
    try:
        return [live.open(model) for model in models]
    except NotReady as error:
        raise CommandError(error.advice) from error


def _verified(
    model: ReadModel, store: EventStore, live: Live, decrypt: Decrypt, advance: Advance
) -> Verdict:
    verdict = verify(model, store, advance=advance, decrypt=decrypt)
    for builder in make_builders({model.name: model}, live):
        if isinstance(builder, VerifiableBuilder):
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
