"""Process pool: fills and builds generations in several processes."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from datetime import datetime
from multiprocessing import get_context
from typing import TypeAlias

from projectors.rebuild import backfill, derive, pool_worker

_POLL_SECONDS = 0.2

OnPoll: TypeAlias = Callable[[], object]
"""Is called several times a second while waiting."""


class RebuildPool(ProcessPoolExecutor):
    """Pool processes that fill and build; both raise the error that ended a process."""

    def __init__(self, size: int) -> None:
        super().__init__(size, mp_context=get_context("spawn"), initializer=pool_worker.begin)
        self._size = size

    def fill(self, numbers: Mapping[str, int], until: Sequence[int], *, on_poll: OnPoll) -> None:
        shares = self._shares(len(until))
        _wait([self.submit(backfill.fill, numbers, each, until) for each in shares], on_poll)

    def build(
        self,
        numbers: Mapping[str, int],
        partitions: int,
        moment: datetime | None,
        *,
        on_poll: OnPoll,
    ) -> None:
        """Build all derived data of generations, as of a moment (None: now)."""
        side_by_side = [(names, range(partitions)) for names in derive.SIDE_BY_SIDE]
        last = [(derive.BUILT_LAST, share) for share in self._shares(partitions)]
        for parts in (side_by_side, last):
            needed = [(names & numbers.keys(), share) for names, share in parts]
            tasks = [
                self.submit(derive.build, numbers, names, share, moment)
                for names, share in needed
                if names
            ]
            _wait(tasks, on_poll)

    def _shares(self, partitions: int) -> list[range]:
        """The partitions, dealt out to the processes."""
        return [range(nth, partitions, self._size) for nth in range(self._size)]


def _wait(tasks: Sequence["Future[None]"], on_poll: OnPoll) -> None:
    running = set(tasks)
    while running:
        done, running = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_EXCEPTION)
        for task in done:
            task.result()
        on_poll()
