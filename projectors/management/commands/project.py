"""How are the projectors run?"""

import signal
from argparse import ArgumentParser
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from projectors.fates import Stop
from projectors.registry import MODELS
from projectors.running import run


class Command(BaseCommand):
    """``manage.py project``"""

    help = (
        "Keep the read models level with the log: from RabbitMQ where MARQUEE_BUS_URL is set,"
        " else from the log alone. Several may run; one is active at a time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What can be asked."""
        names = [model.name for model in MODELS]
        parser.add_argument(
            "--only", nargs="+", choices=names, metavar="NAME", help=f"just: {', '.join(names)}"
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C."""
        stopping = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            # In a thread, for the interrupted one may hold the event's own lock.
            signal.signal(number, lambda *_: Thread(target=stopping.set).start())
        try:
            run(options["only"] or (), stopping)
        except Stop as error:
            raise CommandError(f"The projectors stopped: {error}") from error
