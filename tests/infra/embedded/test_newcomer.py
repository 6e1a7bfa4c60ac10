"""First run: an interrupted one is seeded, and README's requests work."""

import json
import re
import signal
import subprocess

import pytest

from infra.platform.processes import HOME

CATALOGUE = "36,273 movies"
COMMUNITY = "ratings by 300 simulated users"
LISTS = "built from these"


def requests(run) -> str:
    """README's shell commands with this run's ports, and a separator after each numbered part."""
    used = (HOME / "README.md").read_text().partition("## Use it")[2]
    block = re.search(r"^```sh\n(.*?)^```", used, re.MULTILINE | re.DOTALL)
    assert block
    script = block[1].replace("localhost:8000", f"localhost:{run.port}")
    script = script.replace("localhost:8001", f"localhost:{run.port + 1}")
    assert str(run.port) in script
    parts = re.split(r"^(?=# \d\. )", script, flags=re.MULTILINE)[1:]
    return "".join(f"{part}\necho; echo ==\n" for part in parts) + 'echo "$TOKEN $AT"\n'


@pytest.mark.slow
def test_interrupted_first_run_is_seeded_and_readmes_requests_work(start):
    first = start(is_empty=False)
    first.wait_for(CATALOGUE)
    first.wait_for(COMMUNITY)
    assert first.end(signal.SIGTERM) == 0
    assert "The next start resumes from here" in first.says

    second = start(is_empty=False)
    second.wait_for(COMMUNITY)  # resumes there
    second.wait_for(LISTS)
    second.wait()
    assert CATALOGUE not in second.says
    second.wait_for("The community is simulated: its ratings are made up.")

    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", requests(second)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    account, search_results, rated, recommended, trending, variables = result.stdout.split("==\n")
    movie = int(re.findall(r"/v1/movies/(\d+)/rating", requests(second))[0])
    assert json.loads(account)["username"] == "ann"
    assert "The Godfather" in [item["title"] for item in json.loads(search_results)["items"]]
    assert movie in [item["id"] for item in json.loads(search_results)["items"]]
    assert rated.strip() == ""
    items = json.loads(recommended)["items"]
    assert len(items) == 3
    assert movie not in [item["id"] for item in items]  # the rating counts in them
    assert json.loads(trending)["items"]
    token, position = variables.split(maxsplit=1)  # neither is empty
    assert token.count(".") == 2
    assert position.strip()
