"""Settings: validation, secrets from files, and refusals in production."""

import subprocess
import sys

import pytest

from infra.config import BadConfig, read
from infra.platform.processes import HOME

PRODUCTION_ENVIRON = {
    "MARQUEE_PRODUCTION": "true",
    "MARQUEE_ROLE": "command",
    "MARQUEE_ALLOWED_HOSTS": "movies.example.org",
    "MARQUEE_DATABASE_URL": "postgresql://marquee:q8Zt2LxV@log:5432/marquee",
    "MARQUEE_VAULT_URL": "postgresql://marquee:w3Rk9NbC@vault:5432/marquee_vault",
    "MARQUEE_BUS_URL": "amqp://marquee:p5Ym7HdS@bus:5672/%2F",
    "MARQUEE_REDIS_URL": "redis://default:e6Jf4GvT@redis:6379/0",
    "MARQUEE_MAIL_URL": "smtp+starttls://marquee:n2Lq8XwB@mail.example.org:587",
}


def test_safe_settings_are_accepted_in_production():
    assert read(PRODUCTION_ENVIRON).production


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MARQUEE_DEBUG", "true"),
        ("MARQUEE_THROTTLE", "false"),
        ("MARQUEE_ALLOWED_HOSTS", "*"),
        ("MARQUEE_ALLOWED_HOSTS", "movies.example.org,*"),
        ("MARQUEE_MAIL_URL", "console:"),
        ("MARQUEE_MAIL_URL", "file:/var/lib/marquee/mail"),
        ("MARQUEE_DATABASE_URL", "postgresql://marquee:marquee@log:5432/marquee"),
        ("MARQUEE_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/marquee"),
        ("MARQUEE_DATABASE_URL", "postgresql://postgres@/marquee?host=db.internal"),
        ("MARQUEE_REDIS_URL", "redis:///0"),
        ("MARQUEE_VAULT_URL", "postgresql://marquee:postgres@vault:5432/marquee_vault"),
        ("MARQUEE_BUS_URL", "amqp://guest:guest@bus:5672/%2F"),
        ("MARQUEE_REDIS_URL", "redis://redis:6379/0"),
        ("MARQUEE_REDIS_URL", "redis://default:m%61rquee@redis:6379/0"),
    ],
)
def test_unsafe_setting_is_refused_in_production(variable, value):
    with pytest.raises(BadConfig, match=variable) as refusal:
        read(PRODUCTION_ENVIRON | {variable: value})
    assert "m%61rquee" not in str(refusal.value)
    read(PRODUCTION_ENVIRON | {variable: value, "MARQUEE_PRODUCTION": "false"})


def test_query_role_needs_passwords_only_for_its_own_servers():
    query = {
        name: value
        for name, value in PRODUCTION_ENVIRON.items()
        if name not in ("MARQUEE_DATABASE_URL", "MARQUEE_VAULT_URL", "MARQUEE_BUS_URL")
    }
    assert read(query | {"MARQUEE_ROLE": "query"}).production
    for user in ("query", "cache"):
        variable = f"MARQUEE_{user.upper()}_REDIS_URL"
        urls = {variable: f"redis://{user}:{user}@redis:6379/0"}
        with pytest.raises(BadConfig, match=variable):
            read(query | urls | {"MARQUEE_ROLE": "query"})


@pytest.mark.parametrize("role", ["query", "ops"])
def test_role_without_mail_may_print_it_in_production(role):
    assert read(
        PRODUCTION_ENVIRON | {"MARQUEE_ROLE": role, "MARQUEE_MAIL_URL": "console:"}
    ).production


@pytest.mark.parametrize("hosts", [{}, {"MARQUEE_ALLOWED_HOSTS": "*"}])
def test_only_api_roles_must_name_hosts_in_production(hosts):
    environ = {
        name: value for name, value in PRODUCTION_ENVIRON.items() if name != "MARQUEE_ALLOWED_HOSTS"
    } | hosts
    assert read(environ | {"MARQUEE_ROLE": "ops"}).production
    for role in ("command", "query"):
        with pytest.raises(BadConfig, match="MARQUEE_ALLOWED_HOSTS"):
            read(environ | {"MARQUEE_ROLE": role})


def test_unix_sockets_need_no_password_in_production():
    sockets = {
        "MARQUEE_DATABASE_URL": "postgresql://postgres@/marquee?host=/run/log",
        "MARQUEE_VAULT_URL": "postgresql://postgres@/vault?host=/run/vault",
        "MARQUEE_REDIS_URL": "unix:///run/redis.sock",
        "MARQUEE_BUS_URL": "",
    }
    assert read(PRODUCTION_ENVIRON | sockets).production


def test_secret_is_read_from_a_file(tmp_path):
    path = tmp_path / "redis"
    path.write_text("redis://default:from-a-file@redis:6379/0\n")
    environ = {"MARQUEE_REDIS_URL_FILE": str(path)}
    assert read(environ).redis_url == "redis://default:from-a-file@redis:6379/0"
    assert read({"MARQUEE_REDIS_URL": "x", **environ}).redis_url.startswith("redis://default")
    assert read({**environ, "MARQUEE_REDIS_URL": "x"}).redis_url.startswith("redis://default")


def test_missing_secret_file_is_named(tmp_path):
    with pytest.raises(BadConfig, match="MARQUEE_REDIS_URL_FILE"):
        read({"MARQUEE_REDIS_URL_FILE": str(tmp_path / "none")})
    with pytest.raises(BadConfig, match="NONE"):
        read({"MARQUEE_NONE_FILE": "/dev/null"})


@pytest.mark.parametrize("role", ["command", "query", "ops"])
def test_django_deploy_check_has_no_warnings(role):
    result = subprocess.run(
        [
            *(sys.executable, str(HOME / "manage.py")),
            *("check", "--deploy", "--fail-level", "WARNING"),
        ],
        env=PRODUCTION_ENVIRON | {"MARQUEE_ROLE": role},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_process_with_a_default_password_does_not_start_in_production():
    result = subprocess.run(
        [sys.executable, str(HOME / "manage.py"), "check"],
        env=PRODUCTION_ENVIRON | {"MARQUEE_REDIS_URL": "redis://redis:6379/0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "MARQUEE_REDIS_URL" in result.stderr
    assert "Traceback" not in result.stderr
