"""Health probe: a write and a read that waits for it, again and again.

The platform is well when a write is accepted and a read that waits for it shows it. The probe tries
all the time, on a movie that no other user rates.
"""

from collections import Counter
from itertools import cycle
from threading import Event, Thread
from time import monotonic

import httpx

from benchmarks.users import PASSWORD
from benchmarks.write_load.ledger import SCORES
from benchmarks.write_load.sender import Sender, is_fault, register

_PAUSE_SECONDS = 0.1
_PATIENCE_SECONDS = 5.0


class Health:
    """Probes the platform in a thread of its own."""

    def __init__(self, command_url: str, query_url: str, *, movie: int) -> None:
        self._path = f"/v1/movies/{movie}/rating"
        self._account = register(command_url, "health", PASSWORD)
        self._logging_in = Sender(command_url, self._account)
        self._command = httpx.Client(base_url=command_url, timeout=_PATIENCE_SECONDS)
        self._query = httpx.Client(base_url=query_url, timeout=2 * _PATIENCE_SECONDS)
        self.faults: Counter[int] = Counter()
        """Server errors other than 503, by status."""
        self._done = Event()
        self._well: list[tuple[float, float]] = [(0.0, 0.0)]
        self._thread = Thread(target=self._run, name="health", daemon=True)
        self._thread.start()

    def well_after(self, moment: float) -> float | None:
        """Return when the first good probe begun after ``moment`` ended, or None."""
        return next((end for begin, end in self._well if begin >= moment), None)

    def forget(self, moment: float) -> None:
        """Forget probes begun before ``moment``."""
        self._well = [observation for observation in self._well if observation[0] >= moment]

    def close(self) -> None:
        """Stop probing."""
        self._done.set()
        self._thread.join()
        for client in (self._command, self._query, self._logging_in):
            client.close()

    def _run(self) -> None:
        headers: dict[str, str] = {}
        for score in cycle(SCORES):
            if self._done.wait(_PAUSE_SECONDS):
                return
            if not headers:
                headers = {"Authorization": f"Bearer {self._logging_in.log_in()}"}
            begin = monotonic()
            try:
                if self._is_well(score, headers):
                    self._well.append((begin, monotonic()))
            except _TokenIsOld:
                headers = {}
            except httpx.HTTPError:
                continue

    def _is_well(self, score: int, headers: dict[str, str]) -> bool:
        written = self._command.put(self._path, json={"score": score}, headers=headers)
        self._note(written)
        if written.status_code == httpx.codes.UNAUTHORIZED:
            raise _TokenIsOld
        written.raise_for_status()
        waiting = {"Log-Position": written.headers["Log-Position"], "Prefer": "wait=5"}
        read = self._query.get("/v1/me/ratings", headers=headers | waiting)
        self._note(read)
        read.raise_for_status()
        return [item["score"] for item in read.json()["items"]] == [score]

    def _note(self, answer: httpx.Response) -> None:
        if is_fault(answer):
            self.faults[answer.status_code] += 1


class _TokenIsOld(Exception):
    pass
