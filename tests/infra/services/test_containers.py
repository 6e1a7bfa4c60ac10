"""Servers in containers: started once, apart from other checkouts', stopped without loss.

The engine is a fake docker program: it records its calls and the containers that would be running.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from infra.services import containers
from infra.services.errors import DidNotStart, ServiceError
from infra.services.lifecycle import SERVERS
from infra.services.server import Server

_DOCKER = f"""#!{sys.executable} -S
import json
import sys
from pathlib import Path

here, asked = Path(__file__).parent, sys.argv[1:]
with (here / "asked").open("a") as calls:
    calls.write(json.dumps(asked) + "\\n")
running = here / "running"
match asked:
    case ["ps", "--filter", "status=running", *_]:
        print(*(each.name for each in running.iterdir()), sep="\\n")
    case ["run", "--detach", "--name", name, *_]:
        if (here / "full").exists():
            sys.exit("no space left on device")
        (running / name).touch()
    case ["rm", "--force", name]:
        (running / name).unlink(missing_ok=True)
    case ["info"]:
        sys.exit((here / "away").exists())
    case _:
        sys.exit(f"docker was not to be asked {{asked}}")
"""


@dataclass(frozen=True)
class Engine:
    """Calls to the fake docker, and the containers that run in it."""

    directory: Path

    def calls(self, what: str) -> list[list[str]]:
        """Calls of one kind so far."""
        all_calls = map(json.loads, (self.directory / "asked").read_text().splitlines())
        return [call for call in all_calls if call[0] == what]

    @property
    def running(self) -> set[str]:
        return {each.name for each in (self.directory / "running").iterdir()}

    def end_container(self, name: str) -> None:
        """End a container as if it had crashed."""
        (self.directory / "running" / name).unlink()


@pytest.fixture
def engine(tmp_path, monkeypatch) -> Engine:
    directory = tmp_path / "bin"
    (directory / "running").mkdir(parents=True)
    docker = directory / "docker"
    docker.write_text(_DOCKER)
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    return Engine(directory)


@pytest.fixture
def servers(engine) -> Sequence[Server]:
    """The platform's servers; each answers while its container runs."""

    def copy_of(server: Server) -> Server:
        def is_there(_ports: object) -> bool:
            return any(name.endswith(server.name) for name in engine.running)

        return replace(server, answers=is_there)

    return [copy_of(server) for server in SERVERS]


@pytest.fixture
def redis(servers: Sequence[Server]) -> Server:
    [redis_server] = (server for server in servers if server.name == "redis")
    return redis_server


def options(call: Sequence[str], name: str) -> list[str]:
    return [call[nth + 1] for nth, part in enumerate(call) if part == name]


@pytest.mark.parametrize("is_away", [False, True])
def test_container_engine_is_available_only_if_its_daemon_answers(engine, is_away):
    if is_away:
        (engine.directory / "away").touch()
    assert containers.is_available.__wrapped__() is not is_away


def test_containers_run_their_images_on_loopback_ports(engine, servers, tmp_path):
    containers.start(servers, tmp_path / "services")
    runs = {options(call, "--name")[0].rpartition("-")[2]: call for call in engine.calls("run")}
    assert runs.keys() == {server.name for server in servers}
    for server in servers:
        call, container = runs[server.name], server.container
        ports = containers.ports_of(server, tmp_path / "services")
        assert set(options(call, "--publish")) == {
            f"127.0.0.1:{ports[port]}:{inner}" for port, inner in container.ports.items()
        }
        [name] = options(call, "--name")
        mounts = {f"{at}:{to}:ro" for at, to in container.mounts.items()}
        assert set(options(call, "--volume")) == {f"{name}:{container.volume}", *mounts}
        assert set(options(call, "--env")) == {f"{k}={v}" for k, v in container.environ.items()}
        assert call[call.index(container.image) :] == [container.image, *container.arguments]


def test_running_containers_are_left_alone(engine, servers, tmp_path):
    containers.start(servers, tmp_path / "services")
    before = engine.running
    containers.start(servers, tmp_path / "services")
    assert engine.running == before
    assert len(engine.calls("run")) == len(servers)


def test_ended_container_restarts_on_its_volume_and_ports(engine, redis, tmp_path):
    containers.start([redis], tmp_path / "services")
    [name] = engine.running
    engine.end_container(name)
    assert not containers.is_up(redis, tmp_path / "services")
    containers.start([redis], tmp_path / "services")
    first, second = engine.calls("run")
    assert first == second
    assert engine.calls("rm")[-1] == ["rm", "--force", name]  # otherwise its name would be taken


def test_checkouts_have_containers_and_ports_of_their_own(engine, redis, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    containers.start([redis], one)
    [name] = engine.running
    assert not containers.is_alive(redis, other)
    containers.start([redis], other)
    published = [options(call, "--publish") for call in engine.calls("run")]
    assert len(engine.running) == 2
    assert published[0] != published[1]
    containers.stop([redis], other)
    assert engine.running == {name}


def test_stopped_containers_are_removed_and_volumes_stay(engine, servers, tmp_path):
    containers.start(servers, tmp_path / "services")
    started = engine.running
    removed = len(engine.calls("rm"))
    containers.stop(servers, tmp_path / "services")
    assert engine.running == set()
    assert {call[-1] for call in engine.calls("rm")[removed:]} == started
    containers.stop(servers, tmp_path / "services")
    assert len(engine.calls("rm")) == removed + len(servers)  # nothing was left to remove


def test_engine_error_is_reported_in_its_words(engine, redis, tmp_path):
    (engine.directory / "full").touch()
    with pytest.raises(ServiceError, match="docker run failed: no space left on device"):
        containers.start([redis], tmp_path / "services")


def test_container_that_never_answers_is_reported_with_its_log_command(
    engine, redis, tmp_path, monkeypatch
):
    monkeypatch.setattr(containers, "_START_SECONDS", 0)
    mute = replace(redis, answers=lambda _ports: False)
    with pytest.raises(DidNotStart, match="redis did not start; see `docker logs marquee-"):
        containers.start([mute], tmp_path / "services")
