"""Reader: requests pages in turn and records failures and untrue answers.

Three kinds of failure are distinguished: no answer or a fault (500), which is an error; "not now"
(503), which is allowed; and an answer without the data that was there before, which is untrue.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from threading import Event
from time import monotonic
from typing import Any

import httpx

from benchmarks.write_load.sender import ANSWER_SECONDS

SLOW_SECONDS = 1.0

_CARD = "/v1/movies/1"
_SIMILAR = f"{_CARD}/similar"
PATHS = (
    _CARD,
    "/v1/trending?window=week",
    "/v1/discover?sort=popularity",
    "/v1/suggestions?q=a",
    _SIMILAR,
    "/v1/me/recommendations",
)


@dataclass
class Reads:
    """Counts of reads by outcome and path."""

    answered: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    """No answer, or a server error."""
    not_now: Counter[str] = field(default_factory=Counter)
    """503 with a reason and Retry-After."""
    untrue: Counter[str] = field(default_factory=Counter)
    """Empty 200 or 404, where there was data before."""
    slow: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0

    def summary(self) -> dict[str, Any]:
        """The counts for the printed summary and the report file."""
        return {
            "answered": self.answered.total(),
            "failed": self.failed.total(),
            "not now": self.not_now.total(),
            "untrue": self.untrue.total(),
            "slow": self.slow.total(),
            "longest seconds": round(self.longest_seconds, 2),
            "failed where": dict(self.failed),
            "not now where": dict(self.not_now),
            "untrue where": dict(self.untrue),
        }


class Reader:
    """A user who reads one page after another."""

    def __init__(self, query_url: str, log_in: Callable[[], str]) -> None:
        self.reads = Reads()
        self._log_in = log_in
        self._client = httpx.Client(base_url=query_url, timeout=ANSWER_SECONDS)
        self._had_data: set[str] = set()
        self._has_genres = True

    def run(self, stopping: Event, *, pause_seconds: float) -> None:
        """Read until stopped."""
        with self._client:
            self._renew_token()
            for path in cycle(PATHS):
                if stopping.wait(pause_seconds):
                    return
                self.read(path)

    def read(self, path: str) -> None:
        """Read a page and count the outcome."""
        began = monotonic()
        try:
            answer = self._client.get(path)
        except httpx.TransportError as error:
            self.reads.failed[f"{path} {type(error).__name__}"] += 1
        else:
            self._note(path, answer)
        took = monotonic() - began
        self.reads.longest_seconds = max(self.reads.longest_seconds, took)
        if took > SLOW_SECONDS:
            self.reads.slow[path] += 1

    def _note(self, path: str, answer: httpx.Response) -> None:
        match answer.status_code:
            case httpx.codes.OK:
                self._judge(path, answer.json())
            case httpx.codes.SERVICE_UNAVAILABLE if _is_proper_refusal(answer):
                self.reads.not_now[path] += 1
            case httpx.codes.NOT_FOUND if path in self._had_data:
                self.reads.untrue[path] += 1
            case httpx.codes.UNAUTHORIZED:
                self._renew_token()
            case httpx.codes.NOT_FOUND | httpx.codes.TOO_MANY_REQUESTS:
                pass  # no data yet, or rate-limited
            case status:
                self.reads.failed[f"{path} {status}"] += 1

    def _renew_token(self) -> None:
        self._client.headers["Authorization"] = f"Bearer {self._log_in()}"

    def _judge(self, path: str, body: Mapping[str, Any]) -> None:
        self.reads.answered[path] += 1
        if path == _CARD:
            self._has_genres = bool(body["genres"])
        if path == _SIMILAR and not self._has_genres:
            return  # without likes and genres it has no similar movies
        if body.get("items", [body]):
            self._had_data.add(path)
        elif path in self._had_data:
            self.reads.untrue[path] += 1


def _is_proper_refusal(answer: httpx.Response) -> bool:
    """Whether a refusal is problem details with Retry-After."""
    kind = answer.headers.get("Content-Type", "")
    return kind.startswith("application/problem+json") and "Retry-After" in answer.headers
