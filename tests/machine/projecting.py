"""Worker of the state machine: applies only what a test hands to it."""

from collections.abc import Iterable, Iterator, Sequence

from redis import Redis

from events import codec
from events.recorded import Recorded
from events.store import EventStore
from projectors.consumer.follower import Follower
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.read_model import Trending
from projectors.storage.read_model import ReadModel


class Generation:
    """Three read models of one generation and the workers that write them."""

    def __init__(self, redis: Redis, number: int, log: EventStore) -> None:
        self.number = number
        self.movies = Movies(redis, number)
        self.library = Library(redis, number)
        self.trending = Trending(redis, number)
        self.models: Sequence[ReadModel] = (self.movies, self.library, self.trending)
        self._log = log
        self._workers = [self._start_worker()]

    def _start_worker(self) -> list[Follower]:
        followers = [Follower(model, self._log) for model in self.models]
        for follower in followers:
            follower.sync(self._log.heads())
        return followers

    def replace_worker(self) -> None:
        """Replace the worker by a new one, which knows nothing."""
        self._workers = [self._start_worker()]

    def start_second_worker(self) -> None:
        """Start a second worker; neither knows of the other."""
        self._workers = [self._workers[-1], self._start_worker()]

    def apply(self, messages: Iterable[bytes]) -> None:
        """Let the older worker apply the messages."""
        worker = self._workers[0]
        self._workers = [*self._workers[1:], worker]  # the other worker is next
        for run in _runs(codec.from_wire(message) for message in messages):
            for follower in worker:
                follower.process(run)

    def read(self, *, pages: int, limit: int) -> None:
        """Read the log's heads, then up to ``pages`` pages of ``limit`` missing events."""
        for follower in self._workers[-1]:
            follower.sync(self._log.heads())
            for partition in sorted(follower.behind)[:pages]:
                at = follower.checkpoints[partition]
                follower.process(self._log.page(partition, after=at, limit=limit))

    def catch_up(self) -> None:
        """Apply all missing events."""
        while not self.is_level():
            before = [follower.checkpoints for follower in self._workers[-1]]
            self.read(pages=self._log.partitions, limit=1000)
            after = [follower.checkpoints for follower in self._workers[-1]]
            assert self.is_level() or after != before, "it makes no progress"

    def is_level(self) -> bool:
        """Whether every model has applied the whole log."""
        heads = list(self._log.heads())
        return all(checkpoints == heads for checkpoints in self.checkpoints())

    def checkpoints(self) -> Sequence[list[int]]:
        """Checkpoints of each model, in order."""
        return [model.checkpoints(self._log.partitions) for model in self.models]


def _runs(events: Iterable[Recorded]) -> Iterator[list[Recorded]]:
    """Consecutive events of one partition, in the order of delivery."""
    run: list[Recorded] = []
    for recorded in events:
        if run and recorded.position != (run[-1].partition, run[-1].offset + 1):
            yield run
            run = []
        run.append(recorded)
    if run:
        yield run
