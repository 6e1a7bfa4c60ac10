"""Which requests were refused? Written down by Schemathesis, for a look into the log afterwards."""

import os
from pathlib import Path
from typing import Any

import schemathesis


@schemathesis.check
def refused(_context: Any, response: Any, _case: Any) -> None:
    """Keep the number of what was refused; find no insides in any answer."""
    for insides in ("Traceback (most recent call last)", 'File "/', "psycopg2", "redis.exceptions"):
        assert insides not in response.text
    number = response.headers.get("x-request-id")
    if response.status_code >= 400 and number:
        with Path(os.environ["REFUSED"]).open("a") as file:
            file.write(f"{number[0]}\n")
