"""What can be set from outside, and what is it when nobody sets it?

Every setting is an environment variable: the field's name in capitals behind ``MARQUEE_``.
A bad value stops the process at start with the name of the variable.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

PREFIX = "MARQUEE_"

Role = Literal["command", "query", "ops"]
Positive = Annotated[int, Meta(ge=1)]


class BadConfig(Exception):
    """A variable has a value that can't be used; the message names it."""


class Config(msgspec.Struct, frozen=True, kw_only=True, rename="upper", forbid_unknown_fields=True):
    """The settings of one process."""

    role: Role = "ops"
    """What this process is: the command API, the query API, or one of the workers and tools."""
    debug: bool = False
    """Django's debug pages. Never in production."""
    allowed_hosts: str = "*"
    """Host names that the APIs answer to, separated by commas."""
    site_origin: str = ""
    """The one web origin that may call the command API from a browser; empty for none."""
    namespace: str = "marquee"
    """Prefix of exchange, queues, channels and indexes, so that two platforms can share servers."""

    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """Where a process that serves nothing else answers ``/metrics``; 0: nowhere."""

    database_url: str = "postgresql://postgres@127.0.0.1:5432/marquee"
    """The event log and the catalogue's tables. Not used by the query API.

    By its socket: ``postgresql://postgres@/marquee?host=DIRECTORY``."""
    vault_url: str = "postgresql://postgres@127.0.0.1:5432/marquee_vault"
    """Keys of sealed fields, names and credentials; a database with backups of its own."""
    bus_url: str = ""
    """RabbitMQ; empty: no bus, the projectors follow the log."""
    redis_url: str = "redis://127.0.0.1:6379/0"
    """Read models, throttles, caches and hints. By its socket: ``unix:///PATH``."""
    query_redis_url: str = ""
    """The same Redis for the query API, as a user that writes only caches and throttles."""
    search: Literal["elasticsearch", "tantivy"] = "elasticsearch"
    """What searches run on: a server, or files that one machine's processes share."""
    elasticsearch_url: str = "http://127.0.0.1:9200"
    """The search index, if that is the server."""
    search_dir: Path = Path(".state/search")
    """Where the search index lies, if that is files. The query API must be able to write here, too:
    whoever reads an index locks its list of files for a moment."""
    state_dir: Path = Path(".state")
    """Where this checkout keeps what it makes: native servers, their data and ports."""
    keys_dir: Path = Path(".state/keys")
    """Made by ``manage.py keys create``: ``shared/`` for everyone, ``command/`` for commands."""

    partitions: Annotated[int, Meta(ge=1, le=1024)] = 64
    """Partitions of the log. Fixed when the log is made; every process must have the same."""
    relay_window: Positive = 1000
    """Messages under way without a confirm. Measured: 500-1000 gives 11-13k msg/s, 1 gives 0.4k."""
    idempotency_hours: Positive = 24
    """How long the answer to a command with an Idempotency-Key is kept."""
    access_minutes: Positive = 10
    """Life of an access token."""
    refresh_days: Positive = 30
    """Life of a refresh token's family."""
    body_limit_bytes: Positive = 262_144
    """Larger request bodies are refused with 413."""
    server_threads: Positive = 4
    """Threads of one API process; at most half of them may wait for a position."""
    trusted_proxies: Annotated[int, Meta(ge=0)] = 0
    """How many proxies of ours stand in front: so far X-Forwarded-For is believed."""
    throttle: bool = True
    """Whether requests are counted and refused beyond the rates below."""
    throttle_anonymous_per_minute: Positive = 600
    """Requests a minute of one address without a token."""
    throttle_user_per_minute: Positive = 1200
    """Requests a minute of one user."""
    throttle_login_per_minute: Positive = 10
    """Log-ins and registrations a minute of one address."""


def read(environ: Mapping[str, str]) -> Config:
    """The configuration in ``environ``; raises BadConfig for a bad or unknown variable."""
    given = {
        name.removeprefix(PREFIX): value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }
    try:
        return msgspec.convert(
            given, Config, strict=False, dec_hook=lambda type_, text: type_(text)
        )
    except msgspec.ValidationError as error:
        raise BadConfig(f"The environment's {PREFIX}* variables can't be used: {error}") from error


@cache
def config() -> Config:
    """The configuration of this process, read once."""
    return read(os.environ)
