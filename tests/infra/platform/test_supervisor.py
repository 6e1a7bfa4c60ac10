"""Supervisor: start order, restarts, back-off and stop."""

import os
import signal
from threading import Event, Thread

import pytest

from infra.platform.processes import Process
from infra.platform.supervisor import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    SETTLED_SECONDS,
    Member,
    Stopped,
    Supervisor,
    answers,
)
from infra.services.errors import DidNotStart
from tests.fixtures.waiting import until

PATIENCE_SECONDS = 60


@pytest.fixture
def process(tmp_path):
    def make(script, name="sleeper"):
        return Process(
            name=name,
            command=["sh", "-c", script],
            environ={},
            log=tmp_path / f"{name}.log",
            home=tmp_path / name,
        )

    return make


@pytest.fixture
def messages():
    return []


@pytest.fixture
def supervisor(messages):
    with Supervisor(say=lambda subject, news: messages.append(f"{subject} {news}")) as started:
        yield started


def test_supervisor_restarts_an_ended_process_and_logs_it(supervisor, process, messages):
    member = Member(process("echo last words; sleep 600"))
    supervisor.bring_up([member])
    first = member.process.pid
    until(lambda: "last words" in member.process.log_tail())
    os.kill(first, signal.SIGKILL)
    until(lambda: member.process.pid not in {0, first}, supervisor.restart_ended)
    assert any("ended (by SIGKILL)" in line for line in messages)
    assert any("last words" in line for line in messages)
    assert any("restarted" in line for line in messages)


def test_back_off_doubles_for_a_process_that_ends_soon(process):
    member = Member(process("true"))
    member.began = 0.0
    pauses = [member.schedule_restart(now=1.0) for _ in range(10)]
    assert pauses[:3] == [FIRST_PAUSE_SECONDS, 2 * FIRST_PAUSE_SECONDS, 4 * FIRST_PAUSE_SECONDS]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
    assert member.schedule_restart(now=SETTLED_SECONDS) == FIRST_PAUSE_SECONDS


def test_process_that_ends_during_start_is_reported_with_its_last_lines(supervisor, process):
    member = Member(process("echo no such thing; exit 3"), is_ready=lambda: False)
    with pytest.raises(DidNotStart, match="sleeper ended during its start:\nno such thing"):
        supervisor.bring_up([member])


def test_stop_during_start_is_obeyed(process):
    stopping = Event()
    stopping.set()
    with Supervisor(stopping) as supervisor, pytest.raises(Stopped):
        supervisor.bring_up([Member(process("sleep 600"), is_ready=lambda: False)])


def test_supervisor_stops_processes_in_reverse_order(tmp_path, process):
    ends = tmp_path / "ends"
    script = 'trap "echo {0} >> {1}; exit" TERM; touch {1}.{0}; while :; do sleep 0.02; done'
    with Supervisor() as supervisor:
        for name in ("engine", "user"):
            ready = tmp_path / f"ends.{name}"
            member = Member(process(script.format(name, ends), name), is_ready=ready.exists)
            supervisor.bring_up([member])
    assert ends.read_text().split() == ["user", "engine"]


def test_leftover_process_is_ended_before_a_new_start(tmp_path, process):
    leftover = process("sleep 600")
    leftover.start()
    restarted = process("sleep 600")
    assert restarted.end_leftovers()
    assert leftover.popen is not None
    assert leftover.popen.wait(PATIENCE_SECONDS) == -signal.SIGTERM
    assert not restarted.end_leftovers()


def test_process_ends_with_the_thread_that_started_it(process, tmp_path):
    started = process(f"touch {tmp_path}/up; sleep 600")

    def start():
        started.start()
        until((tmp_path / "up").exists)

    starter = Thread(target=start)
    starter.start()
    starter.join()
    assert started.popen is not None
    assert started.popen.wait(PATIENCE_SECONDS) == -signal.SIGTERM


def test_supervisor_restarts_others_while_a_step_runs(supervisor, process, messages, tmp_path):
    member = Member(process("sleep 600"))
    supervisor.bring_up([member])
    first = member.process.pid
    script = f"echo one; kill -9 {first}; until test -e {tmp_path}/go; do sleep 0.05; done; exit 4"

    def let_go():
        until(lambda: any("restarted" in line for line in messages))
        (tmp_path / "go").touch()

    watching = Thread(target=let_go)
    watching.start()
    assert supervisor.run(process(script, "step")) == 4
    watching.join()
    assert "step one" in messages


def test_stop_ends_a_running_step(process):
    stopping = Event()
    stopping.set()
    step = process("sleep 600", "step")
    with pytest.raises(Stopped):
        Supervisor(stopping).run(step)
    assert step.pid == 0


def test_readiness_check_needs_success_and_uses_no_proxy(fake_tmdb, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    origin = fake_tmdb.url.removesuffix("/3")
    assert answers(f"{origin}/fake/counts")()
    assert not answers(f"{origin}/3/movie/1")()  # 401: no token
    assert not answers("http://127.0.0.1:1")()
