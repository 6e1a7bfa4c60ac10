"""Schemathesis: both APIs keep their OpenAPI contracts for generated requests.

Both live APIs, every operation, all checks; afterwards no refused request is in the log.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from infra.platform.processes import HOME
from tests.fixtures.platform import UNTHROTTLED, import_

DIRECTORY = Path(__file__).parent
ENDS_THE_LOG_IN = "log_out_everywhere"


@pytest.fixture
def fuzzing(start, catalogue, register_client, tmp_path):
    """Platform, a function that fuzzes one of its APIs as a user, and the directory of refusals."""
    platform = start(**UNTHROTTLED)
    import_(platform, catalogue)

    # One after the other: concurrent registrations may be refused with 409.
    people = {name: register_client(platform, name) for name in ("ann", "bob", "cleo")}

    def fuzz(url, name, *more):
        person = people[name]
        person.put("/v1/movies/1/rating", {"score": 8})
        result = subprocess.run(
            [
                *(str(Path(sys.executable).parent / "schemathesis"),),
                *("--config-file", str(DIRECTORY / "schemathesis.toml")),
                *("run", f"{url}/openapi.json", "--url", url, "--checks", "all", *more),
            ],
            env=os.environ
            | {
                "TOKEN": person.headers["Authorization"].removeprefix("Bearer "),
                "REFUSED": str(tmp_path / "refused"),
                "PYTHONPATH": str(HOME),
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-5_000:]

    return platform, fuzz, tmp_path / "refused"


@pytest.mark.slow
def test_both_apis_keep_their_openapi_contracts(fuzzing):
    platform, fuzz, refused = fuzzing
    runs = (
        (platform.command_url, "ann", "--exclude-operation-id", ENDS_THE_LOG_IN),  # of the others
        (platform.command_url, "bob", "--include-operation-id", ENDS_THE_LOG_IN),
        (platform.query_url, "cleo"),
    )
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda run: fuzz(*run), runs))
    numbers = refused.read_text().split()
    assert len(numbers) > 50
    with connection.cursor() as cursor:
        cursor.execute("SELECT type FROM events WHERE correlation_id = ANY(%s::uuid[])", [numbers])
        assert cursor.fetchall() == []
