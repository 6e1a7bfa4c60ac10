"""Composition root of a projector process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from threading import Event, Thread

from events.bus import Subscription
from events.notifications import (
    NotificationListener,
    listening,
    log_channel,
    waiting_readers_channel,
)
from events.store import EventStore
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.consumer.assignments import FindWantedRoles, GenerationAssignments
from projectors.consumer.decryption import decryptor
from projectors.consumer.worker import Worker
from projectors.erasure.abandoned_rebuilds import AbandonedRebuilds
from projectors.erasure.coordinator import ErasureCoordinator
from projectors.generations.garbage_collector import collecting_garbage
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.generations.selection import GenerationSelection
from projectors.registry import MODELS
from projectors.storage.read_model import ReadModel


class WorkerFailure:
    """The first error that ends the whole worker, and the signal to stop."""

    def __init__(self, stopping: Event) -> None:
        self.error: BaseException | None = None
        self._stopping = stopping

    def report(self, error: BaseException) -> None:
        """End the worker because of ``error``."""
        self.error = self.error or error
        self._stopping.set()


def run(chosen: Sequence[type[ReadModel]], stopping: Event) -> None:
    """Keep read models level with the log until ``stopping`` is set.

    Raises StopProjector, or the error that ended a builder's thread.
    """
    names = sorted(model.name for model in chosen)
    failure = WorkerFailure(stopping)
    with (
        _subscribed("all" if len(chosen) == len(MODELS) else "-".join(names)) as subscription,
        running_worker(
            partial(GenerationSelection(Pointers(clients.redis())).select, chosen),
            chosen,
            failure,
            subscription=subscription,
        ) as work,
        collecting_garbage(chosen, _erasure_work()),
    ):
        work(stopping)
    if failure.error:
        raise failure.error


def _erasure_work() -> Callable[[], None]:
    redis, store = clients.redis(), PostgresStore(config().partitions)
    coordinator, abandoned = ErasureCoordinator(redis, store), AbandonedRebuilds(redis, store)

    def work() -> None:
        coordinator.resume_all()
        abandoned.drop_stalled()

    return work


@contextmanager
def running_worker(
    wanted: FindWantedRoles,
    kinds: Sequence[type[ReadModel]],
    failure: WorkerFailure,
    *,
    subscription: Subscription | None = None,
) -> Iterator[Callable[[Event], None]]:
    """Yields a function that runs a worker for the selected generations until stopped."""
    redis = clients.redis()
    live = Live(redis)
    store: EventStore = PostgresStore(config().partitions)
    assignments = GenerationAssignments(
        wanted,
        kinds,
        redis=redis,
        live=live,
        store=store,
        decrypt=decryptor(),
        failed=failure.report,
    )
    with ExitStack() as stack:
        stack.callback(assignments.stop)
        log_notifications = stack.enter_context(listening(redis, log_channel()))
        waiting_readers = stack.enter_context(listening(redis, waiting_readers_channel()))
        stack.enter_context(_waking_builders(assignments, waiting_readers))
        yield Worker(
            store=store,
            live=live,
            pointers=Pointers(redis),
            assignments=assignments,
            subscription=subscription,
            notifications=log_notifications,
        ).run


@contextmanager
def _subscribed(name: str) -> Iterator[Subscription | None]:
    if not config().bus_url:
        yield None
        return
    with closing(
        Subscription(
            config().bus_url,
            namespace=config().namespace,
            name=name,
            partitions=config().partitions,
        )
    ) as subscription:
        yield subscription


@contextmanager
def _waking_builders(
    assignments: GenerationAssignments, waiting_readers: NotificationListener
) -> Iterator[None]:
    done = Event()

    def wake() -> None:
        while not done.is_set():
            for name in waiting_readers.wait(1.0):
                assignments.wake_builder(name.decode())

    thread = Thread(target=wake, name="wake-builders", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        waiting_readers.wake()
        thread.join(timeout=5)
