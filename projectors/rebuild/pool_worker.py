"""Initialiser of a pool process: sets up Django, lowers the priority, ends with the parent.

No import at the top may need Django: a fresh process begins with this module. What it fills or
builds is imported afterwards, with the first task.
"""

import os
from multiprocessing import parent_process
from threading import Thread

import django

# Processes that answer requests go first. Measured on 2 cores with a million ratings: a card takes
# 1.6 times as long beside a rebuild of all Redis models, a board 1.3 times (make bench, "rebuild").
_NICENESS = 10


def begin() -> None:
    django.setup()
    os.nice(_NICENESS)
    # A pool process that waits for work does not notice that its parent was killed.
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent has ended, before this call, too; safe at any point."""
    if parent := parent_process():
        parent.join()
        os._exit(1)
