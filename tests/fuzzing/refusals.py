"""Schemathesis check: records the ids of refused requests, to be compared with the log."""

import os
from pathlib import Path
from typing import Any

import schemathesis


@schemathesis.check
def refused(_context: Any, response: Any, _case: Any) -> None:
    """Record the request id of a refusal; fail if a response reveals internals."""
    for insides in ("Traceback (most recent call last)", 'File "/', "psycopg2", "redis.exceptions"):
        assert insides not in response.text
    number = response.headers.get("x-request-id")
    if response.status_code >= 400 and number:
        with Path(os.environ["REFUSED"]).open("a") as file:
            file.write(f"{number[0]}\n")
