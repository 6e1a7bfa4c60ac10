"""Measuring process of the relay benchmark; started by benchmarks.relay_row."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
django.setup()

from benchmarks.relay import measure  # noqa: E402 - Django first
from events.relay.relay import BusTarget  # noqa: E402 - Django first
from infra.config import config  # noqa: E402 - Django first

TURNS = 3

bus = BusTarget(url=config().bus_url, namespace=config().namespace, window=config().relay_window)
for _ in range(TURNS):
    rates = measure(partitions=config().partitions, bus=bus)
    sys.stdout.write(f"{rates.relay} {rates.bare}\n")
    sys.stdout.flush()
