"""What does a worker consist of, and when is it put together anew?"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from events.bus import Subscription
from events.hints import Listener, listening, log_channel, wanted_channel
from events.store import EventStore
from events.store.postgres import PostgresStore
from infra import clients
from infra.config import config
from projectors.builder_thread import BuilderThread
from projectors.follower import Follower
from projectors.generations import choose, is_current
from projectors.live import Live, NotReady
from projectors.opened import opening
from projectors.read_model import ReadModel
from projectors.registry import MODELS, make_builders
from projectors.worker import Worker

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5


class Failure:
    """The first fault that ends the whole worker, and the sign to stop because of it."""

    def __init__(self, stopping: Event) -> None:
        self.error: BaseException | None = None
        self._stopping = stopping

    def report(self, error: BaseException) -> None:
        """End the worker because of ``error``."""
        self.error = self.error or error
        self._stopping.set()


def run(only: Iterable[str], stopping: Event) -> None:
    """Keep the models named (none: all) level with the log until told to stop.

    Raises Stop, or what a builder's thread died of.
    """
    names = frozenset(only)
    chosen = [model for model in MODELS if not names or model.name in names]
    failure = Failure(stopping)
    with _subscribed("-".join(sorted(names)) or "all") as subscription:
        while not stopping.is_set():
            try:
                _run_once(chosen, subscription, stopping, failure)
            except (DatabaseError, RedisError, OSError, NotReady) as error:
                log.warning("Waiting for what is away: %s", error)
                stopping.wait(_PAUSE_SECONDS)
    if failure.error:
        raise failure.error


def _run_once(
    chosen: Sequence[type[ReadModel]],
    subscription: Subscription | None,
    stopping: Event,
    failure: Failure,
) -> None:
    """Work on the generations there are now, as long as they are the ones to write."""
    redis = clients.redis()
    live = Live(redis)
    store: EventStore = PostgresStore(config().partitions)
    models = {model.name: model(redis, choose(model, live)) for model in chosen}
    open_all = opening()
    for model in models.values():
        log.info("Writing %s, generation %d", model.name, model.generation)
    builders = [
        BuilderThread(builder, failed=failure.report)
        for builder in make_builders(models, live, store.partitions)
    ]
    with ExitStack() as stack:
        hints = stack.enter_context(listening(redis, log_channel()))
        wanted = stack.enter_context(listening(redis, wanted_channel()))
        stack.enter_context(_running(builders, wanted))
        Worker(
            store=store,
            live=live,
            followers=[Follower(model, store, open_all) for model in models.values()],
            builders=builders,
            subscription=subscription,
            hints=hints,
        ).run(stopping, is_current=lambda: all(is_current(m, live) for m in models.values()))


@contextmanager
def _subscribed(name: str) -> Iterator[Subscription | None]:
    if not config().bus_url:
        yield None
        return
    subscription = Subscription(
        config().bus_url,
        namespace=config().namespace,
        name=name,
        partitions=config().partitions,
    )
    try:
        yield subscription
    finally:
        subscription.close()


@contextmanager
def _running(builders: Sequence[BuilderThread], wanted: Listener) -> Iterator[None]:
    by_name = {builder.name: builder for builder in builders}
    done = Event()
    urging = Thread(target=_urge, args=(by_name, wanted, done), name="urge", daemon=True)
    for builder in builders:
        builder.start()
    urging.start()
    try:
        yield
    finally:
        done.set()
        wanted.poke()
        for builder in builders:
            builder.stop()
        urging.join(timeout=5)


def _urge(builders: Mapping[str, BuilderThread], wanted: Listener, done: Event) -> None:
    while not done.is_set():
        for word in wanted.wait(1.0):
            if builder := builders.get(word.decode()):
                builder.urge()
