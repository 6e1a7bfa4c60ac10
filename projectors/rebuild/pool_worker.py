"""Entry points of a pool process: set up Django, then fill or build.

No import at the top may need Django: a fresh process begins with this module.
"""

import os
from collections.abc import Mapping
from threading import Thread
from time import sleep

import django

from projectors.rebuild.task import BackfillTask, BuildTask

# Processes that answer requests go first. Measured on 2 cores with a million ratings: a card takes
# 1.6 times as long beside a rebuild of all Redis models, a board 1.3 times (make bench, "rebuild").
_NICENESS = 10
_POLL_SECONDS = 0.5


def begin() -> None:
    """Initialise a pool process."""
    django.setup()
    os.nice(_NICENESS)
    # A pool process that waits for work does not notice that its parent was killed.
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent was killed; that is safe at any point."""
    while os.getppid() == parent:
        sleep(_POLL_SECONDS)
    os._exit(1)


def fill(task: BackfillTask) -> None:
    """Fill generations."""
    from projectors.rebuild import backfill  # noqa: PLC0415 - only now is Django set up

    backfill.fill(task)


def build(numbers: Mapping[str, int], part: BuildTask) -> None:
    """Build derived data."""
    from projectors.rebuild import derive  # noqa: PLC0415 - only now is Django set up

    derive.build(numbers, part)
