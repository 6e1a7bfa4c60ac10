"""manage.py lag: how many events each read model is behind the log."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.generations.live import Live
from projectors.lag import Lag, lags
from projectors.management.arguments import waiting

_POLL_SECONDS = 0.1
_REST_FACTOR = 4
"""Pause after a poll, in multiples of its time: polling must not slow the projectors."""


class Command(BaseCommand):
    help = (
        "Show how many events each read model is behind the log. A generation that another version"
        " made is outdated: it answers until its successor is level. Exit 1 unless all are level"
        " and none is outdated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        waiting(parser, "wait this long for all to be level")

    def handle(self, *_args: object, **options: Any) -> None:
        """Poll until all are level or the wait is over."""
        store = PostgresStore(config().partitions)
        live = Live(clients.redis())
        deadline = time.monotonic() + options["wait"]
        while True:
            began = time.monotonic()
            live.forget()
            model_lags = lags(store, live)
            is_level = all(lag.is_caught_up for lag in model_lags)
            if is_level or time.monotonic() >= deadline:
                break
            time.sleep(max(_POLL_SECONDS, _REST_FACTOR * (time.monotonic() - began)))
        _print(model_lags)
        if not is_level:
            sys.exit(1)


def _print(model_lags: Sequence[Lag]) -> None:
    table = Table("read model", "generation", "state behind", "derived behind", "parked")
    for lag in model_lags:
        generation = "none" if lag.generation is None else str(lag.generation)
        generation += ", outdated" if lag.is_outdated else ""
        state = "all" if lag.state is None else f"{lag.state:,}"
        derived = "" if lag.derived is None else f"{lag.derived:,}"
        parked = f"{lag.parked:,}" if lag.parked else ""
        table.add_row(lag.model, generation, state, derived, parked)
    Console().print(table)
