"""docker-compose.yml and Dockerfile: everything they name exists."""

import re
import tomllib
from importlib.util import find_spec
from ipaddress import IPv4Network
from pathlib import Path

import msgspec
import pytest
import yaml
from django.core.management import get_commands

from infra.config import PREFIX, BadConfig, Config, read
from infra.platform.processes import ADMITTED
from infra.services.postgres import PRIVATE_LOG

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
SERVERS = {name: service for name, service in SERVICES.items() if "build" not in service}
HTTP = {"command": "8001", "query": "8000"}
DOCKERFILE = ROOT / "infra/docker/Dockerfile"
IN_PRODUCTION = {
    "PRODUCTION": "true",
    "ALLOWED_HOSTS": "movies.example.org",
    "MAIL_URL": "smtp+starttls://marquee:n2Lq8XwB@mail.example.org:587",
    "LOG_PASSWORD": "q8Zt2LxV",
    "VAULT_PASSWORD": "w3Rk9NbC",
    "BUS_PASSWORD": "p5Ym7HdS",
    "REDIS_PASSWORD": "e6Jf4GvT",
    "REDIS_QUERY_PASSWORD": "u7Wc3MsK",
    "REDIS_CACHE_PASSWORD": "h9Xd5RgQ",
}
"""A valid .env for production."""
VARIABLES = {PREFIX + field.encode_name for field in msgspec.structs.fields(Config)}


def command_words(service):
    command = service["command"]
    assert isinstance(command, list), "commands are lists, not shell strings"
    return service.get("entrypoint", []) + command


def commands_of(service):
    """manage.py commands that a service runs, those in scripts included."""
    command = command_words(service)
    if command[0] == "sh":
        lines = (ROOT / command[1]).read_text().splitlines()
        return [line.split()[2] for line in lines if line.startswith("python manage.py")]
    return [command[2]] if command[:2] == ["python", "manage.py"] else []


def test_compose_has_every_process_of_the_platform():
    assert set(OURS) == {
        *(
            "prepare",
            "command",
            "query",
            "relay",
            "projector",
            "projector-finding",
            "worker",
            "beat",
            "tools",
        )
    }
    assert set(SERVERS) == {"log", "vault", "bus", "redis", "search"}


@pytest.mark.parametrize("name", OURS)
def test_compose_runs_existing_management_commands(name):
    for command in commands_of(OURS[name]):
        assert command in get_commands()


@pytest.mark.parametrize("name", OURS)
def test_compose_runs_programs_of_the_platform(name):
    program, *arguments = command_words(OURS[name])
    match program:
        case "granian":
            module = next(word for word in arguments if ":" in word).partition(":")[0]
            assert find_spec(module)
        case "celery":
            assert find_spec(arguments[arguments.index("-A") + 1])
        case _:
            assert commands_of(OURS[name])


def test_compose_processes_are_read_only_and_unprivileged():
    for service in SERVICES.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert [mount for mount in service["tmpfs"] if mount.startswith("/tmp")]  # noqa: S108 - theirs


def test_compose_servers_do_not_run_as_root():
    """The platform's own image sets its user."""
    assert {name: server["user"] for name, server in SERVERS.items()} == {
        "log": "postgres",
        "vault": "postgres",
        "bus": "rabbitmq",
        "redis": "redis",
        "search": "elasticsearch",
    }


@pytest.mark.parametrize("name", OURS)
def test_sets_only_variables_that_are_read(name):
    variables = {word for word in OURS[name]["environment"] if word.startswith(PREFIX)}
    assert variables <= VARIABLES
    assert OURS[name]["environment"]["MARQUEE_ROLE"] == (name if name in HTTP else "ops")


def resolved(name, **env_file):
    """Environment of one of our services, as compose resolves it."""
    default_pattern = re.compile(r"\$\{(\w+):-([^}]*)\}")
    return {
        variable: default_pattern.sub(lambda match: env_file.get(*match.groups()), value)
        for variable, value in OURS[name]["environment"].items()
    }


@pytest.mark.parametrize("name", OURS)
def test_compose_settings_are_accepted_in_production(name):
    settings = read(resolved(name, **IN_PRODUCTION))
    assert settings.production
    assert read(resolved(name)).role == settings.role


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("secret", [word for word in IN_PRODUCTION if word.endswith("PASSWORD")])
def test_default_passwords_are_refused_in_production(name, secret):
    values = {word: value for word, value in IN_PRODUCTION.items() if word != secret}
    holders = [
        variable
        for variable, value in OURS[name]["environment"].items()
        if f"${{{secret}:" in value
    ]
    if not holders:
        assert read(resolved(name, **values)).production
        return
    for default in ({}, {secret: "marquee"}):
        with pytest.raises(BadConfig, match=holders[0]):
            read(resolved(name, **values, **default))


@pytest.mark.parametrize("name", HTTP)
def test_apis_need_allowed_hosts_in_production(name):
    for hosts in ({}, {"ALLOWED_HOSTS": "*"}):
        values = {word: value for word, value in IN_PRODUCTION.items() if word != "ALLOWED_HOSTS"}
        with pytest.raises(BadConfig, match="MARQUEE_ALLOWED_HOSTS"):
            read(resolved(name, **values, **hosts))


@pytest.mark.parametrize("name", OURS)
def test_services_share_networks_with_the_servers_of_their_urls(name):
    service = OURS[name]
    for variable, value in service["environment"].items():
        if not variable.endswith("_URL") or value.startswith("${"):  # settings of the operator
            continue
        host = re.search(r"(?:@|//)([a-z]+):\d+", value)
        assert host, f"{variable} names no server: {value}"
        server = SERVICES[host[1]]
        assert set(server["networks"]) & set(service["networks"]), f"{name} can't reach {host[1]}"


def test_query_service_reaches_neither_log_nor_bus_nor_private_keys():
    query = SERVICES["query"]
    forbidden = {"MARQUEE_DATABASE_URL", "MARQUEE_VAULT_URL", "MARQUEE_BUS_URL"}
    assert not forbidden & set(query["environment"])
    assert query["volumes"] == ["keys-shared:/keys/shared:ro"]
    assert not {"log", "bus"} & set(query["networks"])
    assert "//query:" in query["environment"]["MARQUEE_REDIS_URL"]
    assert "//cache:" in query["environment"]["MARQUEE_CACHE_REDIS_URL"]


def test_only_command_services_have_private_keys():
    holders = {
        name
        for name, service in OURS.items()
        if any(volume.startswith("keys-command:") for volume in service.get("volumes", []))
    }
    assert holders == {"prepare", "command", "tools"}


def test_tools_service_reaches_everything_that_commands_need():
    tools, others = OURS["tools"], [each for name, each in OURS.items() if name != "query"]
    needed = {"MARQUEE_TMDB_TOKEN", "MARQUEE_TMDB_KEY"} | {
        variable
        for variable in OURS["projector"]["environment"]
        if variable != "MARQUEE_METRICS_PORT"
    }
    assert tools["environment"].keys() == needed
    assert set(tools["volumes"]) == set(OURS["prepare"]["volumes"])
    assert set(tools["networks"]) == {network for each in others for network in each["networks"]}
    assert tools["depends_on"].items() >= OURS["projector"]["depends_on"].items()


def test_tools_service_is_not_started_with_the_others():
    assert [name for name, each in SERVICES.items() if "profiles" in each] == ["tools"]
    assert OURS["tools"]["profiles"] == ["tools"]
    assert OURS["tools"]["restart"] == "no"
    assert "ports" not in OURS["tools"]


def test_commands_in_the_manuals_exist():
    run = re.compile(r"docker compose run --rm (?:--volume \S+ )?(\S+) (\w+)")
    commands_by_page = {
        page.name: run.findall(page.read_text()) for page in (ROOT / "docs").rglob("*.md")
    }
    assert commands_by_page["run-with-compose.md"]
    for service, command in (each for page in commands_by_page.values() for each in page):
        assert service == "tools"
        assert command in get_commands()


def test_proxy_on_the_host_is_trusted():
    """Requests come from the engine's gateway, the network's first address."""
    [pages] = COMPOSE["networks"]["pages"]["ipam"]["config"]
    [subnet] = re.findall(r"^\$\{PAGES_SUBNET:-(.*)\}$", pages["subnet"])
    for name in HTTP:
        assert read(resolved(name)).trusted_proxies == str(next(IPv4Network(subnet).hosts()))


def test_sync_takes_token_or_key_of_tmdb():
    for name in ("worker", "beat", "tools"):
        for word in ("TMDB_TOKEN", "TMDB_KEY"):
            settings = read(resolved(name, **{word: "of-an-account"}))
            assert getattr(settings, word.lower()) == "of-an-account"


def test_every_variable_of_compose_is_in_its_manual():
    variables = set(re.findall(r"\$\{(\w+):-", (ROOT / "docker-compose.yml").read_text()))
    manual = (ROOT / "docs/how-to/run-with-compose.md").read_text()
    assert variables == set(re.findall(r"^\| `([A-Z_]+)` \|", manual, re.MULTILINE))
    assert variables >= IN_PRODUCTION.keys()


@pytest.mark.parametrize(("name", "port"), HTTP.items())
def test_apis_listen_on_published_port_and_are_checked_there(name, port):
    service = SERVICES[name]
    command = command_words(service)
    assert command[command.index("--port") + 1] == port
    assert service["ports"] == [f"127.0.0.1:${{{name.upper()}_PORT:-{port}}}:{port}"]
    assert f"127.0.0.1:{port}/health/ready" in service["healthcheck"]["test"][-1]


def test_processes_expose_a_metrics_port_that_is_not_published():
    """Beat has none."""
    telling = {name for name, each in OURS.items() if "MARQUEE_METRICS_PORT" in each["environment"]}
    assert telling == {*HTTP, "relay", "projector", "projector-finding", "worker"}
    for name in telling:
        port = OURS[name]["environment"]["MARQUEE_METRICS_PORT"]
        assert OURS[name]["expose"] == [port]
        assert [each for each in OURS[name].get("ports", []) if each.endswith(f":{port}")] == []
    assert {name for name in telling if "ports" in OURS[name]} == set(HTTP)


@pytest.mark.parametrize("name", HTTP)
def test_request_limits_of_compose_equal_those_of_native_mode(name):
    command = command_words(SERVICES[name])
    begin = command.index(ADMITTED[0])
    assert tuple(command[begin : begin + len(ADMITTED)]) == ADMITTED


@pytest.mark.parametrize("name", ["log", "vault"])
def test_databases_of_compose_log_no_statements_and_values(name):
    program, *words = SERVERS[name]["command"]
    assert program == "postgres"
    assert set(words[::2]) == {"-c"}
    settings = dict(word.split("=") for word in words[1::2])
    assert settings.items() >= PRIVATE_LOG.items()


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", SERVERS)
def test_servers_are_pinned_official_images_with_health_and_volume(name):
    server = SERVERS[name]
    image, _, tag = server["image"].partition(":")
    assert image in {"postgres", "rabbitmq", "redis", "elasticsearch"}
    assert re.match(r"\d+\.\d+", tag)
    assert server["healthcheck"]["test"]
    assert [volume for volume in server["volumes"] if volume.startswith(f"{name}:")]


@pytest.mark.parametrize("name", SERVICES)
def test_volumes_and_networks_exist(name):
    service = SERVICES[name]
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    for volume in service.get("volumes", []):
        source = volume.partition(":")[0]
        exists = (
            (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
        )
        assert exists, source


@pytest.mark.parametrize("name", SERVICES)
def test_dependencies_have_a_health_check_or_run_once(name):
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert SERVICES[other]["restart"] == "no"


def test_every_volume_and_network_is_used():
    used = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert set(COMPOSE["volumes"]) <= used
    joined = {network for service in SERVICES.values() for network in service["networks"]}
    assert set(COMPOSE["networks"]) == joined


def instructions(word):
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    return [line.split()[1:] for line in text.splitlines() if line.startswith(f"{word} ")]


def test_image_copies_only_existing_files():
    copied = [words for words in instructions("COPY") if not words[0].startswith("--from")]
    for *sources, _target in copied:
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_image_holds_every_package_of_the_platform():
    copied = {words[0] for words in instructions("COPY")}
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(pyproject["tool"]["importlinter"]["root_packages"]) <= copied


def test_the_image_is_pinned_locked_and_not_root():
    assert {words[0] for words in instructions("FROM")} == {"python:3.11.14-slim-bookworm"}
    assert any("--require-hashes" in words for words in instructions("RUN"))
    assert instructions("USER") == [["marquee"]]


def test_the_image_sets_only_variables_that_are_read():
    assert set(re.findall(r"MARQUEE_[A-Z_]+", DOCKERFILE.read_text())) <= VARIABLES
