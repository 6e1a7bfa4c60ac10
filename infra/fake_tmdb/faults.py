"""Faults that the fake TMDb server injects into its responses."""

import re
from dataclasses import dataclass
from threading import Lock
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "limited", "slow", "cut", "html", "torn", "offline", "fault", "key", "proxy"
]
"""429; a pause; a connection closed half-way; an HTML page; truncated JSON; 503 with code 9; 500
with code 11; 401 with code 7; a status and JSON of a proxy."""


@dataclass
class InjectedFault:
    """A fault for requests whose path matches a pattern, ``times`` times (None: always)."""

    kind: Kind
    path: str = ""
    times: int | None = 1
    retry_after: str = "1"
    seconds: float = 1.0
    status: int = 403


class FaultQueue:
    """Faults in the order in which they are injected. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[InjectedFault] = []

    def add(self, fault: InjectedFault) -> None:
        """Append a fault."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._waiting.clear()

    def next(self, path: str) -> InjectedFault | None:
        """Take the first fault that matches the path; None when there is none."""
        with self._lock:
            for fault in self._waiting:
                if re.search(fault.path, path):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._waiting.remove(fault)
                    return fault
        return None
