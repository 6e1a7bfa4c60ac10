"""manage.py relay: publish the event log to RabbitMQ."""

import logging
import signal
from threading import Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events.relay.outbox import Outbox
from events.relay.relay import BusTarget, Relay
from events.relay.wakeups import listening_wakeups
from infra import clients, metrics_server
from infra.config import config

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """``manage.py relay``"""

    help = (
        "Publish the event log to RabbitMQ, in order, after the last confirmed event. Several may"
        " run: one leads, the others stand by to take over. Ends at SIGTERM or SIGINT."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        settings = config()
        if not settings.bus_url:
            raise CommandError("MARQUEE_BUS_URL is empty: without a bus there is nothing to relay.")
        if settings.metrics_port:
            metrics_server.serve(settings.metrics_port)
        bus = BusTarget(settings.bus_url, settings.namespace, settings.relay_window)
        with listening_wakeups(clients.redis()) as wakeups:
            relay = Relay(Outbox(), bus, wakeups)
            for number in (signal.SIGTERM, signal.SIGINT):
                # In a thread: the interrupted main thread may hold the lock that stop() takes.
                signal.signal(number, lambda *_: Thread(target=relay.stop).start())
            log.info("Relaying to exchange %s.events, window %s.", bus.namespace, bus.window)
            relay.run()
        log.info("Relay stopped.")
