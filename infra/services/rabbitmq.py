"""RabbitMQ: configuration, start and health check.

Erlang's port mapper (epmd) is usually shared by all nodes of a machine. Ours has its own port, so
that checkouts are independent and it ends with the node.
"""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.services.ports import LOOPBACK, accepts
from infra.services.server import Container, Home, Launch, Server

_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # those in /usr/sbin switch user
_PORTS = ("rabbitmq", "rabbitmq-management", "rabbitmq-distribution", "rabbitmq-epmd")
_GREETING = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"


def url(ports: Mapping[str, int], vhost: str = "%2F") -> str:
    return f"amqp://guest:guest@{LOOPBACK}:{ports['rabbitmq']}/{vhost}"


def admin_url(ports: Mapping[str, int]) -> str:
    """The management interface: virtual hosts, queues, exchanges."""
    return f"http://guest:guest@{LOOPBACK}:{ports['rabbitmq-management']}"


def _packages() -> Sequence[str]:
    return () if _PROGRAM.exists() else ("rabbitmq-server",)


def _prepare(home: Home) -> Launch:
    config = home.path / "rabbitmq.conf"
    config.write_text(_config(home.ports))
    plugins = home.path / "enabled_plugins"
    plugins.write_text("[rabbitmq_management].\n")
    home.account.own(config, plugins)
    return Launch(command=[_PROGRAM], environ=_environ(home, config, plugins))


def _config(ports: Mapping[str, int]) -> str:
    lines = [
        f"listeners.tcp.1 = {LOOPBACK}:{ports['rabbitmq']}",
        f"management.tcp.ip = {LOOPBACK}",
        f"management.tcp.port = {ports['rabbitmq-management']}",
        # Only names are read from the management; counters would slow every message.
        "management_agent.disable_metrics_collector = true",
        "vm_memory_high_watermark.absolute = 2GB",
        "disk_free_limit.absolute = 200MB",
        "log.file = false",
        "log.console = true",
        "log.console.level = warning",
    ]
    return "\n".join(lines) + "\n"


def _environ(home: Home, config: Path, plugins: Path) -> dict[str, str]:
    return {
        "RABBITMQ_NODENAME": "marquee@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_NODE_PORT": str(home.ports["rabbitmq"]),
        "RABBITMQ_DIST_PORT": str(home.ports["rabbitmq-distribution"]),
        "RABBITMQ_MNESIA_BASE": str(home.path / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home.path / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_PID_FILE": str(home.path / "node.pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_PORT": str(home.ports["rabbitmq-epmd"]),
        "ERL_EPMD_ADDRESS": LOOPBACK,
    }


def _answers(ports: Mapping[str, int]) -> bool:
    return _speaks_amqp(ports["rabbitmq"]) and accepts(ports["rabbitmq-management"])


def _speaks_amqp(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as peer:
            peer.sendall(_GREETING)
            return peer.recv(1) == _METHOD_FRAME
    except OSError:
        return False


RABBITMQ = Server(
    name="rabbitmq",
    program="beam.smp",
    ports=_PORTS,
    packages=_packages,
    prepare=_prepare,
    answers=_answers,
    container=Container(
        image="rabbitmq:3.13.7-management",
        ports={"rabbitmq": 5672, "rabbitmq-management": 15672},
        volume="/var/lib/rabbitmq",
    ),
)
