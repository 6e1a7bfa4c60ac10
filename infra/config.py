"""Settings: read from MARQUEE_* environment variables, validated, with defaults.

A bad value stops the process at start with the variable's name. A secret is read from a file if
``MARQUEE_..._FILE`` names one.
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
_DEFAULT_PASSWORDS = frozenset({"", "marquee", "guest", "postgres", "password", "query", "cache"})
"""Passwords of compose, of ``infra.services`` and of the server products."""

Role = Literal["command", "query", "ops"]
Positive = Annotated[int, Meta(ge=1)]
FAIL_CLOSED_SCOPES = frozenset(
    {"register", "login", "account", "refresh", "write", "import", "anonymous", "search"}
)
"""Rate limits that may fail closed; other reads are answered as long as Redis can be read."""
Network: TypeAlias = IPv4Network | IPv6Network


@cache
def networks(text: str) -> tuple[Network, ...]:
    """Parse networks or addresses separated by commas; raises ValueError."""
    return tuple(ip_network(word.strip()) for word in text.split(",") if word.strip())


class BadConfig(Exception):
    """A setting is invalid; the message names the variable."""


def doc(text: str) -> Meta:
    """Describe a field, for docs/reference."""
    return Meta(description=text)


class Config(msgspec.Struct, frozen=True, kw_only=True, rename="upper", forbid_unknown_fields=True):
    """The settings of one process."""

    role: Annotated[
        Role,
        doc(
            "What this process is: the command API, the query API, or one of the workers and tools."
        ),
    ] = "ops"
    production: Annotated[
        bool,
        doc(
            "Whether the platform is on a public network. Then default passwords, `*` as host "
            "name, disabled rate limits and printed mail are refused at start."
        ),
    ] = False
    debug: Annotated[bool, doc("Django's debug pages. Never in production.")] = False
    allowed_hosts: Annotated[
        str,
        doc(
            "Host names that the APIs answer to, separated by commas; `.example.org` includes "
            "all subdomains. Other host names get an answer from `/health/` only."
        ),
    ] = "*"
    https_only: Annotated[
        bool,
        doc(
            "Whether browsers use HTTPS only: sends Strict-Transport-Security for a year, marks "
            "the staff's cookie secure, and expects HTTPS as the origin of their forms."
        ),
    ] = False
    site_origin: Annotated[
        str, doc("The one web origin that may call the command API from a browser; empty for none.")
    ] = ""
    namespace: Annotated[
        str,
        doc(
            "Prefix of exchange, queues, channels and indexes, so that two platforms can share "
            "servers."
        ),
    ] = "marquee"

    metrics_port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)],
        doc(
            "Port on which the process (API, relay, projector, Celery worker) serves `/metrics` "
            "and `/health/live`; 0: none. Anyone who reaches it can read them: do not publish it."
        ),
    ] = 0

    database_url: Annotated[
        str,
        doc(
            "The event log and the catalogue's tables. Not used by the query API. By its "
            "socket: `postgresql://postgres@/marquee?host=DIRECTORY`."
        ),
    ] = "postgresql://postgres@127.0.0.1:5432/marquee"
    vault_url: Annotated[
        str, doc("Database of encryption keys, names and credentials; has backups of its own.")
    ] = "postgresql://postgres@127.0.0.1:5432/marquee_vault"
    bus_url: Annotated[
        str, doc("RabbitMQ; empty: no bus, the projectors read from the event log.")
    ] = ""
    redis_url: Annotated[
        str,
        doc("Read models, rate limits, caches and notifications. By its socket: `unix:///PATH`."),
    ] = "redis://127.0.0.1:6379/0"
    query_redis_url: Annotated[
        str,
        doc(
            "The same Redis for the query API, as a user that reads, and counts for its own rate "
            "limits."
        ),
    ] = ""
    cache_redis_url: Annotated[
        str,
        doc(
            "The same Redis for the query API's caches, as a user that may access nothing else; "
            "empty: as the user that reads."
        ),
    ] = ""
    search: Annotated[
        Literal["elasticsearch", "tantivy"],
        doc(
            "Search engine: the Elasticsearch server, or Tantivy's index files shared by the "
            "processes of one machine."
        ),
    ] = "elasticsearch"
    elasticsearch_url: Annotated[
        str, doc("The Elasticsearch server, if that is the search engine.")
    ] = "http://127.0.0.1:9200"
    search_dir: Annotated[
        Path,
        doc(
            "Directory of the search index, if Tantivy is the search engine. The query API must "
            "be able to write here, too: a reader locks the list of index files for a moment."
        ),
    ] = Path(".state/search")
    state_dir: Annotated[
        Path, doc("Directory for what this checkout makes: native servers, their data and ports.")
    ] = Path(".state")
    keys_dir: Annotated[
        Path,
        doc(
            "Made by `manage.py keys create`: `shared/` for all processes, `command/` for commands."
        ),
    ] = Path(".state/keys")

    partitions: Annotated[
        Annotated[int, Meta(ge=1, le=1024)],
        doc("Partitions of the event log. Fixed when the log is made; the same in every process."),
    ] = 64
    keep_generation_minutes: Annotated[
        Annotated[float, Meta(ge=0)],
        doc("How long a read model's previous generation is kept up to date after the cut-over."),
    ] = 15
    relay_window: Annotated[
        Positive,
        doc(
            "Messages in flight without a confirm. Measured: 500-1000 gives 11-13k msg/s, 1 "
            "gives 0.4k."
        ),
    ] = 1000
    idempotency_hours: Annotated[
        Positive, doc("How long the answer to a command with an Idempotency-Key is kept.")
    ] = 24
    public_jwks: Annotated[
        str,
        doc(
            "Public keys that verify access tokens, in the format of `/.well-known/jwks.json`, "
            "for a query API without the files of `MARQUEE_KEYS_DIR`. A new key needs a "
            "restart."
        ),
    ] = ""
    issuer: Annotated[str, doc("Issuer of access tokens (`iss`); the same for both APIs.")] = (
        "marquee"
    )
    audience: Annotated[
        str, doc("Audience of access tokens (`aud`); tokens for others are refused.")
    ] = "marquee"
    access_minutes: Annotated[Positive, doc("Life of an access token.")] = 10
    refresh_days: Annotated[Positive, doc("Life of a refresh token's family.")] = 30
    mail_url: Annotated[
        str,
        doc(
            "How mail is sent: `console:` prints it, `file:DIRECTORY` writes files, "
            "`smtp://HOST:PORT` sends it, `smtp+starttls://USER:PASSWORD@HOST:PORT` and "
            "`smtps://...` send it encrypted."
        ),
    ] = "console:"
    mail_from: Annotated[str, doc("Sender of mail.")] = "Marquee <marquee@localhost>"
    verify_hours: Annotated[
        Positive, doc("How long the token of an e-mail verification is valid.")
    ] = 48
    verify_url: Annotated[
        str,
        doc(
            "The page that takes the verification token, as "
            "`https://movies.example/verify#{token}`; empty: the mail contains the token "
            "itself."
        ),
    ] = ""
    reset_minutes: Annotated[Positive, doc("How long the token of a password reset is valid.")] = 60
    reset_url: Annotated[str, doc("The page that takes the reset token, likewise.")] = ""
    body_limit_bytes: Annotated[Positive, doc("Larger request bodies are refused with 413.")] = (
        262_144
    )
    server_threads: Annotated[
        Positive, doc("Threads of one API process; at most half of them may wait for a position.")
    ] = 4
    trusted_proxies: Annotated[
        str,
        doc(
            "Networks or addresses of the reverse proxies, separated by commas: their "
            "`MARQUEE_FORWARDED_HEADER` is believed. Empty: no proxy is trusted."
        ),
    ] = ""
    forwarded_header: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z0-9-]+$")],
        doc(
            "Header in which the reverse proxies name the client's address. They must drop it "
            "from clients' requests, also with `_` in place of `-`, which servers take for the "
            "same."
        ),
    ] = "X-Forwarded-For"
    throttle: Annotated[bool, doc("Whether requests beyond the rates below are refused.")] = True
    throttle_anonymous_per_minute: Annotated[
        Positive,
        doc(
            "Reads a minute of one address without a valid token; and separately as many such "
            "commands."
        ),
    ] = 600
    throttle_user_per_minute: Annotated[Positive, doc("Reads a minute of one user.")] = 1200
    throttle_search_per_minute: Annotated[
        Positive,
        doc("Searches and suggestions a minute of one user, or of one address without a token."),
    ] = 300
    throttle_write_per_minute: Annotated[Positive, doc("Commands a minute of one user.")] = 1200
    throttle_import_per_minute: Annotated[
        Positive,
        doc("Imports of rating lists a minute of one user; also exports of all their data."),
    ] = 60
    throttle_register_per_minute: Annotated[
        Positive, doc("New accounts a minute of one address.")
    ] = 10
    throttle_login_per_minute: Annotated[
        Positive,
        doc("Log-ins a minute of one address; and of one account from an address known for it."),
    ] = 10
    throttle_account_per_hour: Annotated[
        Positive, doc("Log-ins an hour to one account from all addresses not known for it.")
    ] = 30
    throttle_refresh_per_minute: Annotated[
        Positive, doc("Refreshed tokens a minute of one address.")
    ] = 60
    throttle_closed: Annotated[
        str,
        doc(
            "Rate limits that refuse with 503 while Redis can't count (fail closed), separated "
            "by commas; of the others each process counts its share. Of `register`, `login`, "
            "`account`, `refresh`, `write`, `import`, `anonymous` and `search`."
        ),
    ] = "register,login,account,search"
    server_processes: Annotated[
        Positive,
        doc(
            "Processes of this API, on all machines. While Redis can't count requests, each lets "
            "so many parts of a limit through."
        ),
    ] = 1
    tmdb_token: Annotated[
        str, doc("The read access token of a TMDb account; films and trends are fetched with it.")
    ] = ""
    tmdb_key: Annotated[str, doc("The API key of a TMDb account, if there is no token.")] = ""
    tmdb_url: Annotated[str, doc("Base URL of TMDb's API v3.")] = "https://api.themoviedb.org/3"
    tmdb_image_url: Annotated[str, doc("URL before the path of a poster, with its size.")] = (
        "https://image.tmdb.org/t/p/w500"
    )
    tmdb_language: Annotated[str, doc("Language of TMDb's answers.")] = "en-US"
    tmdb_per_second: Annotated[
        Positive, doc("Requests a second to TMDb, of all workers together.")
    ] = 40
    tmdb_timeout_seconds: Annotated[
        Annotated[float, Meta(ge=0.01)], doc("How long TMDb may take to answer.")
    ] = 10
    tmdb_patience_seconds: Annotated[
        Annotated[float, Meta(ge=0)],
        doc(
            "How long a worker waits for the rate limit of TMDb; if it would be longer, it "
            "tries again later."
        ),
    ] = 20
    tmdb_trending_seconds: Annotated[Positive, doc("How often TMDb's trends are fetched.")] = 900
    tmdb_first_fill: Annotated[
        Annotated[int, Meta(ge=0, le=20_000)],
        doc("Number of films of the first fill, popular and top rated in turn."),
    ] = 10_000

    def __post_init__(self) -> None:
        try:
            networks(self.trusted_proxies)
        except ValueError as error:
            raise ValueError(f"{error} - at `$.TRUSTED_PROXIES`") from error
        unknown = set(filter(None, self.throttle_closed.split(","))) - FAIL_CLOSED_SCOPES
        if unknown:
            raise ValueError(
                f"no such scope: {', '.join(sorted(unknown))} - at `$.THROTTLE_CLOSED`"
            )


def read(environ: Mapping[str, str]) -> Config:
    """Read the settings; raises BadConfig for an invalid or unknown variable."""
    try:
        settings = msgspec.convert(
            _values(environ), Config, strict=False, dec_hook=lambda type_, text: type_(text)
        )
    except msgspec.ValidationError as error:
        raise BadConfig(f"The environment's {PREFIX}* variables are invalid: {error}") from error
    if settings.production and (unsafe := list(_unsafe_in_production(settings))):
        raise BadConfig(f"Refused with {PREFIX}PRODUCTION=true: {'; '.join(unsafe)}")
    return settings


def _values(environ: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for variable, value in environ.items():
        name = variable.removeprefix(PREFIX)
        if name == variable:
            continue
        if name.endswith(_FROM_FILE):
            values[name.removesuffix(_FROM_FILE)] = _content(variable, value)
        else:
            values.setdefault(name, value)
    return values


def _content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"The file that {variable} names can't be read: {error}") from error


def _unsafe_in_production(settings: Config) -> Iterator[str]:
    """Settings that are unsafe on a public network, each with its variable."""
    if settings.debug:
        yield f"{PREFIX}DEBUG shows internals to everyone"
    if not settings.throttle:
        yield f"{PREFIX}THROTTLE must be true"
    if settings.role != "ops" and "*" in settings.allowed_hosts.split(
        ","
    ):  # ops serves no requests
        yield f"{PREFIX}ALLOWED_HOSTS must name the hosts"
    if settings.role == "command" and not settings.mail_url.startswith("smtp"):
        yield f"{PREFIX}MAIL_URL must send mail: printed tokens would let readers of the log in"
    for name in _server_urls(settings):
        if _has_default_password(getattr(settings, name)):
            yield f"{PREFIX}{name.upper()} has no password, or a default one"


def _server_urls(settings: Config) -> tuple[str, ...]:
    if settings.role == "query":
        read = "query_redis_url" if settings.query_redis_url else "redis_url"
        return (read, *(("cache_redis_url",) if settings.cache_redis_url else ()))
    return ("database_url", "vault_url", "redis_url", *(("bus_url",) if settings.bus_url else ()))


def _has_default_password(url: str) -> bool:
    """Whether anyone could log in; a Unix socket has file permissions instead."""
    parts = urlsplit(url)
    return not _is_socket(parts) and unquote(parts.password or "") in _DEFAULT_PASSWORDS


def _is_socket(parts: SplitResult) -> bool:
    if parts.scheme == "unix":
        return True
    where = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    is_directory = not where or where.startswith("/")
    return is_directory and parts.scheme.startswith("postgres")


@cache
def config() -> Config:
    """The settings of this process, read once."""
    return read(os.environ)
