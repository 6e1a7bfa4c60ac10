"""Elasticsearch: configuration, start and health check."""

import http.client
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.services import elasticsearch_download
from infra.services.errors import NotInstalled
from infra.services.paths import outside_tmp
from infra.services.ports import LOOPBACK
from infra.services.server import Container, Home, Launch, Server

_PORTS = ("elasticsearch", "elasticsearch-transport")
_SETTINGS = {
    "cluster.name": "marquee",
    "discovery.type": "single-node",
    "xpack.security.enabled": "false",
    # Disks of development machines are full; past the watermark every index turns read-only.
    "cluster.routing.allocation.disk.threshold_enabled": "false",
    # A write to a lost index must fail, not create one without mappings.
    "action.auto_create_index": "false",
}
_HEAP = "-Xms512m -Xmx512m"
_JVM_OPTIONS = "SERVICES_ELASTICSEARCH_JVM_OPTIONS"
QUICK_START = {_JVM_OPTIONS: "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""For tests. A start took 8.4 CPU seconds instead of 17.2; large indexes are slower."""


def url(ports: Mapping[str, int]) -> str:
    return f"http://{LOOPBACK}:{ports['elasticsearch']}"


def _java() -> Path | None:
    """The home of Java 17, which the distribution was built for, or of any other Java."""
    tried = Path("/usr/lib/jvm").glob("java-17-openjdk-*/bin/java")
    program = next(tried, None) or shutil.which("java")
    return Path(program).resolve().parents[1] if program else None


def _packages() -> Sequence[str]:
    java = () if _java() else ("openjdk-17-jre-headless",)
    if elasticsearch_download.is_unpacked():
        return java
    return (*java, *elasticsearch_download.packages())


def _prepare(home: Home) -> Launch:
    java = _java()
    if java is None:
        raise NotInstalled("Java 17 is not installed.")
    program = elasticsearch_download.unpacked()
    # It refuses a configuration under /tmp, where its security module may write.
    config = outside_tmp(home.path / "config")
    scratch = home.path / "tmp"
    for directory in (config, scratch, home.path / "log"):
        directory.mkdir(parents=True, exist_ok=True)
    written = [config / "elasticsearch.yml", config / "jvm.options", config / "log4j2.properties"]
    written[0].write_text(_yaml(home))
    written[1].write_text("")  # the shipped file writes logs into the distribution
    shutil.copyfile(program / "config" / "log4j2.properties", written[2])
    home.account.own(config, scratch, home.path / "log", *written)
    return Launch(
        command=[program / "bin" / "elasticsearch", "-d", "-p", home.path / "node.pid"],
        environ={
            "ES_JAVA_HOME": str(java),
            "ES_JAVA_OPTS": f"{_HEAP} {os.environ.get(_JVM_OPTIONS, '')}".strip(),
            "ES_PATH_CONF": str(config),
            "ES_TMPDIR": str(scratch),
        },
    )


def _yaml(home: Home) -> str:
    settings = _SETTINGS | {
        "network.host": LOOPBACK,
        "http.port": home.ports["elasticsearch"],
        "transport.port": home.ports["elasticsearch-transport"],
        "path.data": home.path / "indices",
        "path.logs": home.path / "log",
    }
    return "".join(f"{name}: {value}\n" for name, value in settings.items())


def _answers(ports: Mapping[str, int]) -> bool:
    session = http.client.HTTPConnection(LOOPBACK, ports["elasticsearch"], timeout=5)
    try:
        session.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=2s")
        return session.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        session.close()


ELASTICSEARCH = Server(
    name="elasticsearch",
    program="java",
    ports=_PORTS,
    packages=_packages,
    prepare=_prepare,
    answers=_answers,
    container=Container(
        image=f"elasticsearch:{elasticsearch_download.VERSION}",
        ports={"elasticsearch": 9200},
        volume="/usr/share/elasticsearch/data",
        environ={**_SETTINGS, "ES_JAVA_OPTS": _HEAP},
    ),
)
