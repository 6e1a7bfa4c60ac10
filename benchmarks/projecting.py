"""Rate at which a worker applies events from the bus, compared with bare pika.

Both consume the same messages from queues of the same kind, with the same prefetch, and acknowledge
many at once. The worker is the real one, but its log reports that it is empty: otherwise the
worker would read the events from the log, in bulk, before the bus delivers them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from time import perf_counter
from typing import NamedTuple
from uuid import uuid4

from redis import Redis

from benchmarks.consuming import NAME, bare_seconds, occupied, queues
from benchmarks.relay import publish
from events import codec
from events.bus import Subscription, topology
from events.catalogue import MovieRated
from events.notifications import listening
from events.recorded import Stored, partition_of
from events.relay.relay import BusTarget
from events.store.postgres import PostgresStore
from projectors.building.thread import BuilderThread
from projectors.consumer.assignments import AssignedGeneration, GenerationAssignments
from projectors.consumer.follower import Follower
from projectors.consumer.worker import Worker
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.registry import MODELS, make_builders
from projectors.storage.read_model import ReadModel

USERS = 500
MOVIES = 2000
PATIENCE_SECONDS = 120.0


class ProjectingRates(NamedTuple):
    """Events a second."""

    worker: float
    bare: float


class EmptyLookingStore(PostgresStore):
    """A log that reports no events, so that the worker applies only what the bus delivers."""

    def heads(self) -> Sequence[int]:
        """See EventStore."""
        return [0] * self.partitions


class FixedAssignments(GenerationAssignments):
    """The same generations during the whole run."""

    def __init__(self, assigned: Sequence[AssignedGeneration]) -> None:
        self._fixed = assigned

    @property
    def assigned(self) -> Sequence[AssignedGeneration]:
        return self._fixed

    def refresh(self) -> None:
        """Keep the assignments."""


def messages(partitions: int, count: int) -> list[tuple[str, bytes]]:
    """Generate the messages of ratings as the relay sends them."""
    users = [uuid4() for _ in range(USERS)]
    request, now = uuid4(), datetime.now(UTC)
    offsets = [0] * partitions
    bodies = []
    for nth in range(count):
        user, movie = users[nth % USERS], 1 + nth % MOVIES
        partition = partition_of(str(user), partitions)
        offsets[partition] += 1
        event = MovieRated(user_id=user, movie_id=movie, score=1 + nth % 10)
        type_, data = codec.encode(event)
        stored = Stored(
            partition=partition,
            offset=offsets[partition],
            stream=f"rating-{user}-{movie}",
            version=1,
            type=type_,
            data=data,
            occurred_at=now,
            recorded_at=now,
            correlation_id=request,
        )
        bodies.append((topology.routing_key(partition, stored.type), codec.to_wire(stored)))
    return bodies


def measure(
    redis: Redis,
    bus: BusTarget,
    *,
    sent: Sequence[tuple[str, bytes]],
    partitions: int,
    generation: int,
    only: Sequence[str],
) -> ProjectingRates:
    """Consume the messages both ways; the worker applies them to new generations of some models.

    ``only`` names the models; empty means all.
    """
    chosen = [model for model in MODELS if not only or model.name in only]
    with queues(bus, partitions) as names:
        publish(bus, sent)
        bare = bare_seconds(bus, names, len(sent))
    models = [model(redis, generation) for model in chosen]
    with queues(bus, partitions) as names, _worker(redis, bus, partitions, models) as run:
        with occupied(bus, names):
            publish(bus, sent)
            run.begin()
        began = perf_counter()
        run.wait_until_applied(len(sent))
        worker = perf_counter() - began
    return ProjectingRates(worker=len(sent) / worker, bare=len(sent) / bare)


class _WorkerRun:
    """A worker in a thread, from its subscription until it is stopped."""

    def __init__(
        self, redis: Redis, bus: BusTarget, partitions: int, models: Sequence[ReadModel]
    ) -> None:
        self._redis = redis
        self._bus = bus
        self._partitions = partitions
        self._stopping = Event()
        store = EmptyLookingStore(partitions)
        live = Live(redis)
        by_name = {model.name: model for model in models}
        self._pointers = Pointers(redis)
        self._pointers.switch({model.name: model.generation for model in models})
        self._followers = [Follower(model, store) for model in models]
        self._builders = {
            builder.name: BuilderThread(builder, failed=lambda _: self._stopping.set())
            for builder in make_builders(by_name, live)
        }
        self._store, self._live = store, live
        self._thread = Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Subscribe, and start once connected; the occupied queues deliver nothing yet."""
        self._subscription = Subscription(
            self._bus.url, self._bus.namespace, NAME, self._partitions
        )
        while not self._subscription.connected:
            self._stopping.wait(0.01)
        self._thread.start()

    def wait_until_applied(self, events: int) -> None:
        """Wait until every model has applied this number of events."""
        end = perf_counter() + PATIENCE_SECONDS
        while any(sum(follower.checkpoints) < events for follower in self._followers):
            if perf_counter() > end or self._stopping.is_set():
                counts = {f.model.name: sum(f.checkpoints) for f in self._followers}
                raise TimeoutError(f"Of {events} events were applied: {counts}")
            self._stopping.wait(0.005)

    def end(self) -> None:
        """Stop worker, subscription and builders."""
        self._stopping.set()
        self._thread.join(timeout=10)
        self._subscription.close()
        for builder in self._builders.values():
            builder.leave()
            builder.join()

    def _run(self) -> None:
        for builder in self._builders.values():
            builder.start()
        with listening(self._redis, "bench:nothing") as hints:
            Worker(
                store=self._store,
                live=self._live,
                pointers=self._pointers,
                assignments=FixedAssignments(
                    [
                        AssignedGeneration("live", f, self._builders.get(f.model.name))
                        for f in self._followers
                    ]
                ),
                subscription=self._subscription,
                notifications=hints,
            ).run(self._stopping)


@contextmanager
def _worker(
    redis: Redis, bus: BusTarget, partitions: int, models: Sequence[ReadModel]
) -> Iterator[_WorkerRun]:
    run = _WorkerRun(redis, bus, partitions, models)
    try:
        yield run
    finally:
        run.end()
