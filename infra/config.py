"""What can be set from outside, and what is it when nobody sets it?

Every setting is an environment variable: the field's name in capitals behind ``MARQUEE_``.
A bad value stops the process at start with the name of the variable. What must not stand in an
environment is read from a file instead, if ``MARQUEE_..._FILE`` names one.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import msgspec
from msgspec import Meta

PREFIX = "MARQUEE_"
_FROM_FILE = "_FILE"
_KNOWN_PASSWORDS = frozenset({"", "marquee", "guest", "postgres", "password", "query", "cache"})
"""The defaults of compose, of ours and of the servers."""

Role = Literal["command", "query", "ops"]
Positive = Annotated[int, Meta(ge=1)]
CLOSABLE = frozenset({"register", "login", "account", "refresh", "write", "import", "anonymous"})
"""Scopes that can be refused while nobody counts; reads have no answer without Redis anyhow."""
Network: TypeAlias = IPv4Network | IPv6Network


@cache
def networks(listed: str) -> tuple[Network, ...]:
    """The networks, or single addresses, of a list with commas; raises ValueError."""
    return tuple(ip_network(word.strip()) for word in listed.split(",") if word.strip())


class BadConfig(Exception):
    """A variable has a value that can't be used; the message names it."""


class Config(msgspec.Struct, frozen=True, kw_only=True, rename="upper", forbid_unknown_fields=True):
    """The settings of one process."""

    role: Role = "ops"
    """What this process is: the command API, the query API, or one of the workers and tools."""
    production: bool = False
    """Whether strangers can reach it: then what is only good for trying it out is refused, as
    default passwords are, any host name, and mail that is printed."""
    debug: bool = False
    """Django's debug pages. Never in production."""
    allowed_hosts: str = "*"
    """Host names that the APIs answer to, separated by commas; ``.example.org``: all below it, too.
    Under others only ``/health/`` is answered."""
    https_only: bool = False
    """Whether browsers come by HTTPS only: they are told so for a year (Strict-Transport-Security),
    send the staff's cookie by it alone, and their forms are believed to come from there."""
    site_origin: str = ""
    """The one web origin that may call the command API from a browser; empty for none."""
    namespace: str = "marquee"
    """Prefix of exchange, queues, channels and indexes, so that two platforms can share servers."""

    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """Where a process that serves nothing else (relay, projectors, Celery's worker) answers
    ``/metrics``; 0: nowhere."""

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
    """The same Redis for the query API, as a user that writes only caches and its own throttles."""
    cache_redis_url: str = ""
    """The same Redis for what the query API keeps for a moment, as a user that has nothing but
    that; empty: as the user that reads."""
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
    keep_generation_minutes: Annotated[float, Meta(ge=0)] = 15
    """How long a read model's old generation is kept level after another has taken over."""
    relay_window: Positive = 1000
    """Messages under way without a confirm. Measured: 500-1000 gives 11-13k msg/s, 1 gives 0.4k."""
    idempotency_hours: Positive = 24
    """How long the answer to a command with an Idempotency-Key is kept."""
    public_jwks: str = ""
    """Public keys that verify access tokens, as ``/.well-known/jwks.json`` shows them, for a query
    API without the files of ``MARQUEE_KEYS_DIR``. A new one needs a start."""
    issuer: str = "marquee"
    """Who gives out access tokens (``iss``); both APIs must have the same."""
    audience: str = "marquee"
    """Whom access tokens are for (``aud``); those for others are refused."""
    access_minutes: Positive = 10
    """Life of an access token."""
    refresh_days: Positive = 30
    """Life of a refresh token's family."""
    mail_url: str = "console:"
    """How mail goes out. ``console:`` prints it, ``file:DIRECTORY`` keeps it, ``smtp://HOST:PORT``
    sends it, ``smtp+starttls://USER:PASSWORD@HOST:PORT`` and ``smtps://...`` do so in secret."""
    mail_from: str = "Marquee <marquee@localhost>"
    """Whom letters to people are from."""
    verify_hours: Positive = 48
    """How long a letter that asks whether an address is its owner's can be answered."""
    verify_url: str = ""
    """The page that takes its token, as ``https://movies.example/verify#{token}``; empty: the
    letter holds the token itself."""
    reset_minutes: Positive = 60
    """How long a letter to who forgot the password can be answered."""
    reset_url: str = ""
    """The page that takes its token, likewise."""
    body_limit_bytes: Positive = 262_144
    """Larger request bodies are refused with 413."""
    server_threads: Positive = 4
    """Threads of one API process; at most half of them may wait for a position."""
    trusted_proxies: str = ""
    """Networks, or addresses, of the proxies in front, separated by commas: what they say in
    ``MARQUEE_FORWARDED_HEADER`` is believed. Empty: nobody is."""
    forwarded_header: Annotated[str, Meta(pattern="^[A-Za-z0-9-]+$")] = "X-Forwarded-For"
    """In which header the proxies in front say whom they ask for. Clients must not get through with
    it, nor with ``_`` for ``-``, which is the same to servers."""
    throttle: bool = True
    """Whether requests are counted and refused beyond the rates below."""
    throttle_anonymous_per_minute: Positive = 600
    """Reads a minute of one address without a token, or with one that is none; and as many such
    commands, which count by themselves."""
    throttle_user_per_minute: Positive = 1200
    """Reads a minute of one user."""
    throttle_search_per_minute: Positive = 300
    """Searches a minute of one user, or of one address without a token."""
    throttle_write_per_minute: Positive = 1200
    """Commands a minute of one user."""
    throttle_import_per_minute: Positive = 60
    """Lists of ratings a minute of one user, and how often they take all their data along."""
    throttle_register_per_minute: Positive = 10
    """New accounts a minute of one address."""
    throttle_login_per_minute: Positive = 10
    """Log-ins a minute of one address; and of one account from an address known for it."""
    throttle_account_per_hour: Positive = 30
    """Log-ins an hour by one name from all addresses that are not known for it."""
    throttle_refresh_per_minute: Positive = 60
    """Refreshed tokens a minute of one address."""
    throttle_closed: str = "register,login,account"
    """What is refused with 503 while Redis can't count, separated by commas; all else passes. Of
    ``register``, ``login``, ``account``, ``refresh``, ``write``, ``import`` and
    ``anonymous``."""
    tmdb_token: str = ""
    """The read access token of an account at TMDb; its films and trends are fetched with it."""
    tmdb_key: str = ""
    """The API key of such an account, for those who have no token."""
    tmdb_url: str = "https://api.themoviedb.org/3"
    """Where TMDb's API v3 is."""
    tmdb_image_url: str = "https://image.tmdb.org/t/p/w500"
    """What stands before the path of a poster, its size included."""
    tmdb_language: str = "en-US"
    """In which language TMDb is asked."""
    tmdb_per_second: Positive = 40
    """Requests a second that TMDb allows, of all workers together."""
    tmdb_timeout_seconds: Annotated[float, Meta(ge=0.01)] = 10
    """How long TMDb may take to answer."""
    tmdb_patience_seconds: Annotated[float, Meta(ge=0)] = 20
    """How long a worker waits for its turn to ask; it comes back later when it would be longer."""
    tmdb_trending_seconds: Positive = 900
    """How often TMDb's trends are looked at."""
    tmdb_first_fill: Annotated[int, Meta(ge=0, le=20_000)] = 10_000
    """How many films come with the first fill, of the popular and of the top rated in turn."""

    def __post_init__(self) -> None:
        try:
            networks(self.trusted_proxies)
        except ValueError as error:
            raise ValueError(f"{error} - at `$.TRUSTED_PROXIES`") from error
        unknown = set(filter(None, self.throttle_closed.split(","))) - CLOSABLE
        if unknown:
            raise ValueError(
                f"no such scope: {', '.join(sorted(unknown))} - at `$.THROTTLE_CLOSED`"
            )


def read(environ: Mapping[str, str]) -> Config:
    """The configuration in ``environ``; raises BadConfig for a bad or unknown variable."""
    given = _given(environ)
    try:
        found = msgspec.convert(
            given, Config, strict=False, dec_hook=lambda type_, text: type_(text)
        )
    except msgspec.ValidationError as error:
        raise BadConfig(f"The environment's {PREFIX}* variables can't be used: {error}") from error
    if found.production and (wrong := list(_not_for_production(found))):
        raise BadConfig(f"Not in production: {'; '.join(wrong)}")
    return found


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    given = {}
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX)
        if name == variable:
            continue
        if name.endswith(_FROM_FILE):
            given[name.removesuffix(_FROM_FILE)] = _content(variable, value)
        else:
            given.setdefault(name, value)
    return given


def _content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"What {variable} names can't be read: {error}") from error


def _not_for_production(found: Config) -> Iterator[str]:
    """What must not be so where strangers can reach it, each with its variable."""
    if found.debug:
        yield f"{PREFIX}DEBUG shows insides to anybody"
    if not found.throttle:
        yield f"{PREFIX}THROTTLE must be true"
    if found.role != "ops" and "*" in found.allowed_hosts.split(","):  # which answers nobody
        yield f"{PREFIX}ALLOWED_HOSTS must name the hosts"
    if found.role == "command" and not found.mail_url.startswith("smtp"):
        yield f"{PREFIX}MAIL_URL must send mail: what is printed lets readers of logs in"
    for name in _uses(found):
        if _is_open(getattr(found, name)):
            yield f"{PREFIX}{name.upper()} has no password, or one that everybody knows"


def _uses(found: Config) -> tuple[str, ...]:
    if found.role == "query":
        read = "query_redis_url" if found.query_redis_url else "redis_url"
        return (read, *(("cache_redis_url",) if found.cache_redis_url else ()))
    return ("database_url", "vault_url", "redis_url", *(("bus_url",) if found.bus_url else ()))


def _is_open(url: str) -> bool:
    """Whether anybody could log in there; a socket's file says itself who may."""
    parts = urlsplit(url)
    return not _is_socket(parts) and unquote(parts.password or "") in _KNOWN_PASSWORDS


def _is_socket(parts: SplitResult) -> bool:
    if parts.scheme == "unix":
        return True
    where = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    is_directory = not where or where.startswith("/")
    return is_directory and parts.scheme.startswith("postgres")


@cache
def config() -> Config:
    """The configuration of this process, read once."""
    return read(os.environ)
