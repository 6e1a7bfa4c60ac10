"""Logs and metrics.

Logs are lines of JSON with the correlation id of their request; ``infra.metrics_server`` serves the
metrics. All names of metrics are listed below, each with its meaning for docs/reference.
"""

from functools import cache
from typing import Any, Literal, TypeAlias
from uuid import UUID, uuid4

import structlog
from django.http import HttpRequest
from prometheus_client import Counter, Gauge, Histogram

CounterName: TypeAlias = Literal[
    # HTTP requests, by view, method and status.
    "marquee_http_requests_total",
    # Unexpected exceptions (500), by view.
    "marquee_http_faults_total",
    # Reads that the fast lane left to Django, by reason.
    "marquee_lane_left_total",
    # Reads that waited for a position, by outcome: reached, late (timeout), crowded (too many).
    "marquee_waits_total",
    # Cache reads, by cache and outcome: hit; waited (for another's load), loaded, late (loaded
    # after waiting in vain), unkept (loaded, but not stored), failed.
    "marquee_cache_total",
    # Password hashes, by outcome: made, crowded (refused: too many at once).
    "marquee_digests_total",
    # Mails, by outcome: taken_up (once for each), unreachable (the mail server; tried again later).
    # The same numbers whether or not an account has the address.
    "marquee_letters_total",
    # Relay, by outcome: confirmed (events); bus_lost, log_lost, deposed (another relay leads).
    "marquee_relay_total",
    # Gaps in what the bus delivered, read from the log instead, by model.
    "marquee_gaps_total",
    # Requests to TMDb, by outcome: answered; away, gone, wrongkey, unreadable.
    "marquee_tmdb_requests_total",
    # Events appended by the sync with TMDb, by kind of job.
    "marquee_sync_events_total",
]
HistogramName: TypeAlias = Literal[
    # Seconds from request to response, by view.
    "marquee_http_seconds",
    # Seconds of a cache miss, by cache and outcome.
    "marquee_cache_seconds",
    # Seconds of a request to TMDb, also of failed ones, by what was asked for.
    "marquee_tmdb_seconds",
]
GaugeName: TypeAlias = Literal[
    # Seconds that a read model is behind the log, by model.
    "marquee_model_age_seconds",
    # Events of the log that are not confirmed on the bus yet.
    "marquee_relay_behind",
    # Parked events, by model.
    "marquee_parked_events",
    # Seconds since the last complete run of a sync job with TMDb began, by kind.
    "marquee_sync_age_seconds",
    # Films waiting to be fetched from TMDb.
    "marquee_sync_waiting_films",
]

# Fast reads take well under a millisecond; prometheus_client's default buckets begin at 5 ms.
_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count(name: CounterName, amount: float = 1, **labels: str) -> None:
    """Increase a counter."""
    _counter(name, tuple(labels)).labels(*labels.values()).inc(amount)


def observe_seconds(name: HistogramName, seconds: float, **labels: str) -> None:
    """Add a duration to a histogram."""
    _histogram(name, tuple(labels)).labels(*labels.values()).observe(seconds)


def observe_response(view: str, method: str, status: int, seconds: float) -> None:
    """Count a response of an API and add its duration to the histogram.

    A client may make up methods; all of them count as ``other``.
    """
    method = method if method in _METHODS else "other"
    requests = _counter("marquee_http_requests_total", ("view", "method", "status"))
    requests.labels(view, method, str(status)).inc()
    _histogram("marquee_http_seconds", ("view",)).labels(view).observe(seconds)


def set_gauge(name: GaugeName, value: float, **labels: str) -> None:
    """Set a gauge."""
    gauge = _gauge(name, tuple(labels))
    (gauge.labels(*labels.values()) if labels else gauge).set(value)


@cache
def _counter(name: str, labels: tuple[str, ...]) -> Counter:
    return Counter(name, name, labels)


@cache
def _histogram(name: str, labels: tuple[str, ...]) -> Histogram:
    return Histogram(name, name, labels, buckets=_BUCKETS)


@cache
def _gauge(name: str, labels: tuple[str, ...]) -> Gauge:
    return Gauge(name, name, labels)


def correlation_id(request: HttpRequest) -> UUID:
    """The client's X-Request-Id if it is a UUID, or a new id."""
    try:
        return UUID(request.META["HTTP_X_REQUEST_ID"])
    except (KeyError, ValueError):
        return uuid4()


_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def logging_config(level: str = "INFO") -> dict[str, Any]:
    """Django's LOGGING: all log lines, the libraries' too, as JSON on standard error."""
    structlog.configure(
        processors=[*_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(),
                ],
                "foreign_pre_chain": _PROCESSORS,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Refused requests are counted, not logged.
        "loggers": {
            "django.request": {"level": "CRITICAL"},
            # It logs hosts and paths as clients send them.
            "django.security": {"level": "CRITICAL"},
            "elastic_transport": {"level": "WARNING"},
            # It logs URLs, and TMDb's key may be part of them.
            "httpx": {"level": "WARNING"},
        },
    }
