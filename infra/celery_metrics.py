"""How does a worker tell what its tasks have counted?

Celery runs tasks in children of the worker, each of which counts for itself. So they count in files
of one directory, and the worker, which alone answers, adds them up.
"""

import atexit
import os
from shutil import rmtree
from tempfile import mkdtemp

from infra.config import config

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def count_together() -> None:
    """To be called before anybody imports the client, which looks for the directory only then."""
    if config().metrics_port and _DIRECTORY not in os.environ:
        directory = os.environ[_DIRECTORY] = mkdtemp(prefix="marquee-metrics-")
        atexit.register(rmtree, directory, ignore_errors=True)  # Celery's children pass over it


def serve(**_: object) -> None:
    """Answer from a thread of the worker; Celery calls it before there are children."""
    from infra.observability import serve_metrics_of  # noqa: PLC0415 - it imports the client

    if config().metrics_port:
        serve_metrics_of(os.environ[_DIRECTORY], config().metrics_port)
