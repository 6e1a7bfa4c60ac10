"""manage.py verify: compare read models with the log."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from infra.progress_bar import Advance, progress
from projectors.consumer.decryption import decryptor
from projectors.errors import RetryLater
from projectors.generations.live import Live
from projectors.generations.outdated import is_outdated
from projectors.management.arguments import chosen, naming, open_live, print_verdicts
from projectors.registry import make_builders
from projectors.storage.read_model import ReadModel
from projectors.verification.pages import KeptPages, LogPages
from projectors.verification.state import Verdict, verify


class Command(BaseCommand):
    help = (
        "Compare the state of live read models with a fold of the event log at the same offsets,"
        " and derived data with a new build of the state. Recommendation lists are checked for"
        " order, for movies that their user has rated, favourited or hidden, and for a first page"
        " that matches. Projectors keep running. Exit 1 if anything differs or could not"
        " be compared."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        naming(parser)

    def handle(self, *_args: object, **options: Any) -> None:
        store = PostgresStore(config().partitions)
        live = Live(clients.redis())
        kinds = chosen(options["name"], is_all=options["all"], what="verify")
        models = [_comparable(kind, live) for kind in kinds]
        total = sum(store.heads())
        verdicts = []
        pages = KeptPages(store)
        try:
            for model in models:
                with progress(model.name, total) as advance:
                    verdicts.append(_verified(model, pages, live, advance))
        except RetryLater as error:
            raise CommandError(f"Could not be compared: {error}") from error
        print_verdicts(verdicts)
        if any(verdict.differences for verdict in verdicts):
            sys.exit(1)


def _comparable(kind: type[ReadModel], live: Live) -> ReadModel:
    """The live generation of a model, if this version made it; raises CommandError."""
    model = open_live(kind, live)
    if is_outdated(model):
        raise CommandError(
            f"{model.name}, generation {model.generation}, was made by another version and is being"
            " replaced. ./manage.py lag --wait 300 ends when all are level."
        )
    return model


def _verified(model: ReadModel, log: LogPages, live: Live, advance: Advance) -> Verdict:
    verdict = verify(model, log, decrypt=decryptor(), advance=advance)
    for builder in make_builders({model.name: model}, live):
        verdict.differs(builder.check(datetime.now(UTC)))
    return verdict
