"""manage.py project: run the projectors."""

import signal
from argparse import ArgumentParser
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from infra import metrics_server
from infra.config import config
from projectors.bootstrap import run
from projectors.errors import StopProjector
from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel


class Command(BaseCommand):
    help = (
        "Keep the read models level with the log: from RabbitMQ where MARQUEE_BUS_URL is set,"
        " else from the log alone. Several may run; one is active at a time. Processes with other"
        " models each share the work."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = [model.name for model in MODELS]
        share = parser.add_mutually_exclusive_group()
        share.add_argument(
            "--only", nargs="+", choices=names, metavar="NAME", help=f"just: {', '.join(names)}"
        )
        share.add_argument(
            "--except", nargs="+", choices=names, metavar="NAME", help="all but these", default=()
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C."""
        stopping = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            # In a thread, for the interrupted one may hold the event's own lock.
            signal.signal(number, lambda *_: Thread(target=stopping.set).start())
        if config().metrics_port:
            metrics_server.serve(config().metrics_port)
        try:
            run(_chosen(options["only"], options["except"]), stopping)
        except StopProjector as error:
            raise CommandError(f"The projectors stopped: {error}") from error


def _chosen(only: Sequence[str] | None, but: Sequence[str]) -> Sequence[type[ReadModel]]:
    """The models that this process keeps level."""
    return [m for m in MODELS if m.name not in but and (only is None or m.name in only)]
