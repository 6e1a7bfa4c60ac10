"""Process pool: fills and builds generations in several processes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import get_context

from projectors.rebuild import derive, pool_worker
from projectors.rebuild.task import BackfillTask, BuildTask

_POLL_SECONDS = 0.2

OnPoll = Callable[[], object]
"""Is called several times a second while waiting."""


class RebuildPool:
    """Pool processes that fill and build."""

    def __init__(self, pool: ProcessPoolExecutor, processes: int) -> None:
        self._pool = pool
        self._processes = processes

    def fill(self, numbers: Mapping[str, int], until: Sequence[int], *, on_poll: OnPoll) -> None:
        """Fill generations up to ``until``. Raises the error that ended a process."""
        generation_ids = tuple(numbers.items())
        tasks = [
            BackfillTask(generation_ids, share, tuple(until)) for share in self._shares(len(until))
        ]
        _wait([self._pool.submit(pool_worker.fill, task) for task in tasks], on_poll)

    def build(
        self,
        numbers: Mapping[str, int],
        partitions: int,
        moment: datetime | None,
        *,
        on_poll: OnPoll,
    ) -> None:
        """Build all derived data of generations, as of a moment (None: now)."""
        everything = tuple(range(partitions))
        side_by_side = [BuildTask(names, everything, moment) for names in derive.SIDE_BY_SIDE]
        after = [BuildTask(derive.LAST, share, moment) for share in self._shares(partitions)]
        for parts in (side_by_side, after):
            needed = [part for part in parts if part.names & numbers.keys()]
            _wait(
                [self._pool.submit(pool_worker.build, dict(numbers), it) for it in needed], on_poll
            )

    def _shares(self, partitions: int) -> list[tuple[int, ...]]:
        """The partitions, dealt out to the processes."""
        every = range(partitions)
        return [tuple(every[nth :: self._processes]) for nth in range(self._processes)]


@contextmanager
def rebuild_pool(processes: int) -> Iterator[RebuildPool]:
    """A pool of processes until the end of the block."""
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=pool_worker.begin
    ) as pool:
        yield RebuildPool(pool, processes)


def _wait(parts: Sequence["Future[None]"], on_poll: OnPoll) -> None:
    while wait(parts, timeout=_POLL_SECONDS, return_when=FIRST_EXCEPTION).not_done:
        on_poll()
        for part in parts:
            if part.done():
                part.result()
    for part in parts:
        part.result()
    on_poll()
