"""Pool processes of a rebuild end with it, whenever it is killed."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from time import sleep

import pytest

from infra.platform.processes import HOME

PARENT = """
from multiprocessing import get_context
from tests.projectors.rebuild import test_pool_worker

get_context("spawn").Process(target=test_pool_worker.{target}).start()
"""
SECONDS = 60


def begin_at_once():
    _begin()
    _report()
    sleep(SECONDS)


def begin_after_the_parent_ended():
    parent = os.getppid()
    _report()
    while os.getppid() == parent:
        sleep(0.01)
    _begin()
    sleep(SECONDS)


def _begin():
    os.environ["DJANGO_SETTINGS_MODULE"] = "infra.settings"
    from projectors.rebuild import pool_worker  # noqa: PLC0415 - as late as in a pool process

    pool_worker.begin()


def _report():
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()


@pytest.mark.parametrize("target", ["begin_at_once", "begin_after_the_parent_ended"])
def test_pool_process_ends_when_its_parent_is_killed(target):
    """Its end closes the pipe that it has from its parent."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(target=target)],
        cwd=HOME,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout
        process = int(parent.stdout.readline())
        parent.kill()
        try:
            parent.communicate(timeout=SECONDS / 2)
        finally:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
