"""What goes wrong at the fake, and how often?"""

import re
from dataclasses import dataclass
from threading import Lock
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "limited", "slow", "cut", "html", "torn", "offline", "fault", "key", "proxy"
]
"""429; a pause; a connection closed half-way; a page for people; JSON that ends too soon;
503 with code 9; 500 with code 11; 401 with code 7; a status and JSON that are not TMDb's."""


@dataclass
class Trouble:
    """One thing that goes wrong: for requests whose path fits, so many times (None: always)."""

    kind: Kind
    path: str = ""
    times: int | None = 1
    retry_after: str = "1"
    seconds: float = 1.0
    status: int = 403


class Troubles:
    """All that goes wrong at the moment."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Trouble] = []

    def add(self, trouble: Trouble) -> None:
        """One more."""
        with self._lock:
            self._waiting.append(trouble)

    def clear(self) -> None:
        """All is well again."""
        with self._lock:
            self._waiting.clear()

    def next(self, path: str) -> Trouble | None:
        """What befalls a request."""
        with self._lock:
            for trouble in self._waiting:
                if re.search(trouble.path, path):
                    if trouble.times is not None:
                        trouble.times -= 1
                        if trouble.times <= 0:
                            self._waiting.remove(trouble)
                    return trouble
        return None
