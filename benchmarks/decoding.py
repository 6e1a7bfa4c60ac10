"""Calibration of rebuilding: prints how many events a second one process reads and decodes."""

import os
import sys
from time import monotonic

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
django.setup()

from events.store.postgres import PostgresStore  # noqa: E402 - Django first
from infra.config import config  # noqa: E402 - Django first
from projectors.consumer.follower import PAGE  # noqa: E402 - Django first

SECONDS = 5

store = PostgresStore(config().partitions)
began, read = monotonic(), 0
for partition in range(store.partitions):
    after = 0
    while (page := store.page(partition, after=after, limit=PAGE)) and (
        monotonic() - began < SECONDS
    ):
        read += len(page)
        after = page[-1].offset
sys.stdout.write(f"{read / (monotonic() - began)}\n")
