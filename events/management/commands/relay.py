"""How is the relay run?"""

import logging
import signal
from threading import Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events.relay.outbox import Outbox
from events.relay.relay import BusTarget, Relay
from events.relay.wakeups import listening_wakeups
from infra import clients
from infra.config import config
from infra.observability import serve_metrics

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """``manage.py relay``"""

    help = (
        "Publish the log to RabbitMQ, in order, from where the last relay was confirmed. Start as"
        " many as you like: one works, the others wait to take over. Ends at SIGTERM or SIGINT."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Relay until told to stop."""
        settings = config()
        if not settings.bus_url:
            raise CommandError("MARQUEE_BUS_URL is empty: without a bus there is nothing to relay.")
        if settings.metrics_port:
            serve_metrics(settings.metrics_port)
        bus = BusTarget(settings.bus_url, settings.namespace, settings.relay_window)
        with listening_wakeups(clients.redis()) as wakeups:
            relay = Relay(Outbox(), bus, wakeups)
            for number in (signal.SIGTERM, signal.SIGINT):
                # In a thread, for the interrupted one may hold the very lock that stopping takes.
                signal.signal(number, lambda *_: Thread(target=relay.stop).start())
            log.info("Relaying to exchange %s.events, window %s.", bus.namespace, bus.window)
            relay.run()
        log.info("The relay has stopped.")
