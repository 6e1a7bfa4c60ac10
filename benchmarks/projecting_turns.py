"""Measuring process of the projecting benchmark; started by benchmarks.projecting_row."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
django.setup()

from benchmarks.projecting import measure, messages  # noqa: E402 - Django first
from events.relay.relay import BusTarget  # noqa: E402 - Django first
from infra import clients  # noqa: E402 - Django first
from infra.config import config  # noqa: E402 - Django first

TURNS = 3
EVENTS = 40_000

bus = BusTarget(url=config().bus_url, namespace=config().namespace, window=config().relay_window)
sent = messages(config().partitions, EVENTS)
for turn in range(TURNS):
    rates = measure(
        clients.redis(),
        bus,
        sent=sent,
        partitions=config().partitions,
        generation=1 + turn,
        only=sys.argv[1:],
    )
    sys.stdout.write(f"{rates.worker} {rates.bare}\n")
    sys.stdout.flush()
