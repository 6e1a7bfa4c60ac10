"""``make run``: starts after any crash and leaves no process at its end.

The tests hand on a running platform, and its data.
"""

import os
import signal
import subprocess
from contextlib import suppress

import httpx
import psycopg2

from infra.config import PREFIX
from infra.embedded.binaries import VALKEY_PROGRAM
from infra.embedded.engines import postgres_url
from infra.embedded.layout import layout_of
from infra.platform.processes import manage, run_manage
from tests.fixtures.platform import write_catalogue
from tests.fixtures.waiting import until
from tests.infra.embedded.conftest import leftovers, sockets


def pid_of(directory, program):
    processes = [process for process in leftovers(directory) if process.program == program]
    pids = {process.pid for process in processes}
    [main] = [process.pid for process in processes if process.parent not in pids]
    return main


def import_a_movie(directory, tmp_path):
    """Import movie 1 into the platform of a directory."""
    write_catalogue(tmp_path / "catalogue.jsonl", movies=1)
    lines = (layout_of(directory).base / "environment").read_text().splitlines()
    environ = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    run_manage(environ, "import_catalogue", str(tmp_path / "catalogue.jsonl"), check=True)


def ratings(run, token):
    """The token owner's ratings in Redis; None while the read fails."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{run.query_url}/v1/me/ratings", headers=headers, timeout=60)
    if not answer.is_success:
        return None
    return [(item["id"], item["score"]) for item in answer.json()["items"]]


def is_answering(run):
    urls = (
        f"{run.query_url}/v1/trending",
        f"{run.query_url}/health/ready",
        f"{run.command_url}/health/ready",
    )
    try:
        return all(httpx.get(url, timeout=60).status_code == 200 for url in urls)
    except httpx.HTTPError:
        return False


def test_embedded_platform_leaves_only_data_after_sigterm(running, data):
    first = running()
    assert is_answering(first)
    assert first.log_in().status_code == 200
    assert first.end(signal.SIGTERM) == 0
    assert leftovers(data) == []
    assert sockets(data) == []
    password = first.login["password"]

    second = running()
    assert second.login["password"] == password
    assert second.log_in().status_code == 200
    assert second.end(signal.SIGINT) == 0


def test_running_platform_is_private_durable_and_open_to_its_site_only(running, data):
    run = running()
    assert_password_is_readable_by_its_owner_only(data)
    assert_only_the_site_may_call_commands(run)
    assert_postgres_commits_to_disk(data)


def assert_password_is_readable_by_its_owner_only(data):
    assert (data / "demo-account.json").stat().st_mode & 0o777 == 0o600


def assert_only_the_site_may_call_commands(run):
    def allowed(origin):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = httpx.options(f"{run.command_url}/v1/tokens", headers=headers, timeout=30)
        return answer.headers.get("Access-Control-Allow-Origin")

    site = f"http://localhost:{run.port}"
    assert allowed(site) == site
    assert allowed("http://elsewhere.example") is None


def assert_postgres_commits_to_disk(data):
    with psycopg2.connect(postgres_url(layout_of(data))) as connection:
        cursor = connection.cursor()
        for setting in ("fsync", "synchronous_commit"):
            cursor.execute(f"SHOW {setting}")
            assert cursor.fetchone() == ("on",)
    connection.close()


def test_embedded_platform_starts_with_its_data_after_a_killed_supervisor(running, data):
    first = running()
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    second = running()
    assert second.log_in().status_code == 200


def test_processes_that_survived_a_killed_supervisor_are_ended_by_the_next(running, data):
    """Stopped processes receive no signal: the worst leftover of a kill -9."""
    first = running()
    stopped = [process.pid for process in leftovers(data)]
    for pid in stopped:
        with suppress(ProcessLookupError):  # a helper of PostgreSQL that has ended
            os.kill(pid, signal.SIGSTOP)
    first.end(signal.SIGKILL)
    assert {process.pid for process in leftovers(data)} & set(stopped)
    second = running()
    assert second.log_in().status_code == 200
    assert not {process.pid for process in leftovers(data)} & set(stopped)


def assert_manage_works_on(run, state):
    """Without variables, manage.py changes the platform that was started last."""
    environ = {name: value for name, value in os.environ.items() if PREFIX not in name}
    result = subprocess.run(
        manage("events", "verify"),
        env=environ | {"MARQUEE_STATE_DIR": str(state), "MARQUEE_ROLE": "ops"},
        capture_output=True,
        text=True,
        check=True,
    )
    base = layout_of(run.directory).base
    assert result.stderr.splitlines()[0] == f"Platform: {base} (make run)"


def test_killed_engines_are_restarted_with_their_data(running, data, tmp_path):
    run = running()
    import_a_movie(data, tmp_path)
    token = run.log_in().json()["access"]
    rated = httpx.put(
        f"{run.command_url}/v1/movies/1/rating",
        json={"score": 9},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert rated.is_success, rated.text
    until(lambda: ratings(run, token) == [(1, 9)])
    restarts = run.says.count("restarted")
    for program in ("postgres", VALKEY_PROGRAM):
        os.kill(pid_of(data, program), signal.SIGKILL)
    until(lambda: run.says.count("restarted") >= restarts + 2)
    until(lambda: is_answering(run))
    until(lambda: run.log_in().status_code == 200)
    until(lambda: ratings(run, token) == [(1, 9)])


def test_killed_api_is_restarted_on_its_port(running, data):
    run = running()
    restarts = run.says.count("restarted")
    main = min(p.pid for p in leftovers(data) if "granian" in p.program)
    os.kill(main, signal.SIGKILL)
    until(lambda: run.says.count("restarted") > restarts)
    until(lambda: is_answering(run))


def test_second_start_on_a_directory_in_use_is_refused(running, start):
    first = running()
    second = start()
    assert second.popen.wait(60) == 1
    assert f"already, as process {first.popen.pid}" in second.says
    assert "make run DATA=DIR" in second.says
    assert is_answering(first)


def test_taken_port_is_reported_with_its_holder(start, open_path, listener):
    run = start(open_path / "third", port=listener)
    assert run.popen.wait(60) == 1
    assert f"Port {listener} is held by process {os.getpid()} " in run.says
    assert "make run PORT=" in run.says


def test_second_platform_runs_beside_the_first(running, start, open_path):
    first, second = running(), start(open_path / "other")
    assert is_answering(first)
    assert is_answering(second.wait())
    assert first.login["password"] != second.login["password"]
    assert_manage_works_on(second, open_path / "state")
    assert second.end(signal.SIGTERM) == 0
    assert leftovers(open_path / "other") == []
