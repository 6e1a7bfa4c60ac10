"""Cut-over: new generations take over, and are kept level without a gap.

First the workers are asked to keep them level beside the live ones. When they do, and everything is
built, one command switches all pointers at once. Where no worker runs, this process does the
workers' part until the generations are level.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep

from django.db import connections

from events.store import EventStore
from events.store.generations import mark_finished
from projectors.bootstrap import WorkerFailure, running_worker
from projectors.generations.pointers import Pointers
from projectors.lag import events_behind
from projectors.storage.read_model import ReadModel

PATIENCE_SECONDS = 600.0
"""Includes the first build by the workers, which reads everything."""
_POLL_SECONDS = 0.1

ReportMissing = Callable[[int], object]
"""Is given the number of missing events."""


class NotTakenOver(Exception):
    """The running workers do not bring the new generations level."""


def reclaim(numbers: Mapping[str, int], pointers: Pointers) -> None:
    """Take back generations that an interrupted rebuild handed over: no worker writes them then."""
    for generation_id in numbers.items():
        pointers.leave(*generation_id)
    while numbers.items() & pointers.followed():  # until a worker has polled or ended
        sleep(_POLL_SECONDS)


def take_over(
    models: Sequence[ReadModel],
    store: EventStore,
    pointers: Pointers,
    report_missing: ReportMissing,
) -> bool:
    """Have new generations kept level, then make them live; whether workers are running.

    Raises NotTakenOver, and the error that ended a builder.
    """
    numbers = {model.name: model.generation for model in models}
    has_workers = any(name in numbers for name, _ in pointers.followed())
    if has_workers:
        pointers.join(numbers)
        _wait(models, store, report_missing, lambda: numbers.items() <= pointers.followed())
        pointers.switch(numbers)
    else:
        with _working(numbers, [type(model) for model in models]) as is_well:
            _wait(models, store, report_missing, is_well)
            pointers.switch(numbers)
        for generation_id in numbers.items():
            pointers.forget_followed(*generation_id)
    for name, number in numbers.items():
        mark_finished(name, number)
    return has_workers


def _wait(
    models: Sequence[ReadModel],
    store: EventStore,
    report_missing: ReportMissing,
    is_ready: Callable[[], bool],
) -> None:
    """Wait until the generations are level with the heads of this moment."""
    deadline = monotonic() + PATIENCE_SECONDS
    heads = store.heads()
    while not is_ready() or _missing(models, heads):
        report_missing(_missing(models, heads))
        if monotonic() > deadline:
            raise NotTakenOver(
                f"{_missing(models, heads):,} events are missing after {PATIENCE_SECONDS:.0f} s:"
                " the running projectors do not catch up"
            )
        sleep(_POLL_SECONDS)
    report_missing(0)


def _missing(models: Sequence[ReadModel], heads: Sequence[int]) -> int:
    """The number of events that state and derived data of all models lack, summed."""
    return sum(count or 0 for model in models for count in events_behind(model, heads))


@contextmanager
def _working(
    numbers: Mapping[str, int], kinds: Sequence[type[ReadModel]]
) -> Iterator[Callable[[], bool]]:
    """Run a worker for these generations; yields a check that raises its error."""
    stopping = Event()
    failure = WorkerFailure(stopping)

    def run() -> None:
        try:
            work(stopping)
        except BaseException as error:  # noqa: BLE001 - raised by is_well
            failure.report(error)
        finally:
            connections.close_all()

    def is_well() -> bool:
        if failure.error:
            raise failure.error
        return True

    with running_worker(lambda: dict.fromkeys(numbers.items(), "joining"), kinds, failure) as work:
        thread = Thread(target=run, name="work")
        thread.start()
        try:
            yield is_well
        finally:
            stopping.set()
            thread.join()
