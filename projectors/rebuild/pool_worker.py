"""Entry points of a pool process: set up Django, then fill or build.

No import at the top may need Django: a fresh process begins with this module.
"""

import os
from collections.abc import Mapping
from threading import Thread
from time import sleep

import django

from projectors.rebuild.task import BackfillTask, BuildTask

# Those who answer questions go first. Measured on 2 cores with a million ratings: a card takes 1.6
# times as long beside a rebuild of all Redis models, a board 1.3 times (make bench, "rebuild").
_NICENESS = 10
_LOOK_SECONDS = 0.5


def begin() -> None:
    """Once in each process."""
    django.setup()
    os.nice(_NICENESS)
    # A pool's process that waits for work does not notice that nobody is left to give it any.
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(starter: int) -> None:
    """End this process when the one that started it was killed; wherever it is, that is safe."""
    while os.getppid() == starter:
        sleep(_LOOK_SECONDS)
    os._exit(1)


def fill(task: BackfillTask) -> None:
    """Fill the task's part."""
    from projectors.rebuild import backfill  # noqa: PLC0415 - only now is Django set up

    backfill.fill(task)


def build(numbers: Mapping[str, int], part: BuildTask) -> None:
    """Build what there is to build."""
    from projectors.rebuild import derive  # noqa: PLC0415 - only now is Django set up

    derive.build(numbers, part)
