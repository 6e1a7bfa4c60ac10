"""Sender: repeats a write with one idempotency key until it is answered."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.write_load.ledger import LoadAccount, Writes

ANSWER_SECONDS = 10.0
_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_PATIENCE_SECONDS = 300.0


class NeverAnswered(Exception):
    """A write's outcome stays unknown: the platform did not come back."""


class Sender:
    """A user's client of the command API: repeats a write, with one key, until it is answered."""

    def __init__(self, command_url: str, account: LoadAccount) -> None:
        self.writes = Writes()
        self._client = httpx.Client(base_url=command_url, timeout=ANSWER_SECONDS)
        self._account = account
        self._token = ""

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def log_in(self) -> str:
        """Log in; return a new access token."""
        login = {"login": self._account.username, "password": self._account.password}
        answer = until_answered(
            lambda: self._client.post("/v1/tokens", json=login), self._note_fault
        )
        self._token = str(answer.raise_for_status().json()["access"])
        return self._token

    def write(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a write and return its final answer; raises NeverAnswered."""
        headers = {"Idempotency-Key": uuid4().hex}
        without_answer = 0

        def note(answer: httpx.Response | None) -> None:
            nonlocal without_answer
            without_answer += 1
            self._note_fault(answer)

        def ask() -> httpx.Response:
            request_headers = headers | {"Authorization": f"Bearer {self._token}"}
            options: dict[str, Any] = {} if body is None else {"json": body}
            return self._client.request(method, path, headers=request_headers, **options)

        if not self._token:
            self.log_in()
        answer = until_answered(ask, note)
        while answer.status_code == httpx.codes.UNAUTHORIZED:
            self.log_in()
            answer = until_answered(ask, note)
        self._count(answer, without_answer)
        return answer

    def _note_fault(self, answer: httpx.Response | None) -> None:
        if is_fault(answer):
            self.writes.faults += 1

    def _count(self, answer: httpx.Response, without_answer: int) -> None:
        self.writes.repeated += without_answer
        if answer.is_error:
            self.writes.refused += 1
            return
        self.writes.accepted += 1
        if without_answer and "Idempotency-Replayed" in answer.headers:
            self.writes.had_been_done += 1
        elif without_answer:
            self.writes.had_not_been_done += 1


def until_answered(
    ask: Callable[[], httpx.Response],
    note: Callable[[httpx.Response | None], None] = lambda _: None,
) -> httpx.Response:
    """Repeat a request while its outcome is unknown: no answer, or a server error (5xx)."""
    deadline = monotonic() + _PATIENCE_SECONDS
    pause = _PAUSE_SECONDS
    while True:
        answer = _try_once(ask)
        if answer is not None and answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            sleep(float(answer.headers.get("Retry-After", "1")))
            continue
        if answer is not None and not answer.is_server_error:
            return answer
        note(answer)
        if monotonic() > deadline:
            raise NeverAnswered(f"Not answered in {_PATIENCE_SECONDS:.0f} s: {answer}")
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def is_fault(answer: httpx.Response | None) -> bool:
    """Whether an answer is a server error other than 503."""
    return (
        answer is not None
        and answer.is_server_error
        and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE
    )


def _try_once(ask: Callable[[], httpx.Response]) -> httpx.Response | None:
    try:
        return ask()
    except httpx.TransportError:
        return None


def register(command_url: str, name: str, password: str) -> LoadAccount:
    """Register an account."""
    body = {"username": name, "email": f"{name}@example.org", "password": password}
    key = {"Idempotency-Key": uuid4().hex}
    with httpx.Client(base_url=command_url, timeout=ANSWER_SECONDS) as client:
        answer = until_answered(lambda: client.post("/v1/accounts", json=body, headers=key))
    return LoadAccount(answer.raise_for_status().json()["id"], name, password)
