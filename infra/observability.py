"""What does a process tell those who run it?

Logs are lines of JSON that carry the id of the request they belong to; metrics are read at
``/metrics``. A metric's name is one of those below, so that a dashboard can't ask for another.
"""

from functools import cache
from typing import Any, Literal, TypeAlias
from uuid import UUID, uuid4

import structlog
from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector

CounterName: TypeAlias = Literal[
    # Requests answered, by view, method and status.
    "marquee_http_requests_total",
    # Faults that became a 500, by view.
    "marquee_http_faults_total",
    # Hot reads that were left to Django because something stood against them, by what.
    "marquee_lane_left_total",
    # Reads that waited for a position, by outcome: reached, late, crowded.
    "marquee_waits_total",
    # Answers that may be kept, by cache and outcome: hit; waited (for who loaded), loaded, late
    # (loaded after waiting in vain), unkept (loaded for nobody else), failed.
    "marquee_cache_total",
    # Digests of passwords, by outcome: made, crowded (refused, for too many were at it).
    "marquee_digests_total",
    # Letters to people, by outcome: sent; nobody (to write to), failed, given_up.
    "marquee_letters_total",
    # What the relay met, by outcome: confirmed; bus_lost, log_lost, deposed.
    "marquee_relay_total",
    # Ranges that had to be read from the log because the bus did not bring them, by model.
    "marquee_gaps_total",
    # Questions put to TMDb, by outcome: answered; away, gone, wrongkey, unreadable.
    "marquee_tmdb_requests_total",
    # Events that the sync with TMDb appended, by kind of run.
    "marquee_sync_events_total",
]
HistogramName: TypeAlias = Literal[
    # Seconds from request to answer, by view.
    "marquee_http_seconds",
    # Seconds until what was not kept was there, by cache and outcome.
    "marquee_cache_seconds",
    # Seconds that TMDb took to answer, or to fail, by what it was asked for.
    "marquee_tmdb_seconds",
]
GaugeName: TypeAlias = Literal[
    # Seconds that a read model was behind the log when last asked, by model.
    "marquee_model_age_seconds",
    # Events of the log that are not known to be on the bus.
    "marquee_relay_behind",
    # Events that a model has set aside because they can't be applied, by model.
    "marquee_parked_events",
    # Seconds since a kind of sync with TMDb began for the last time that did all there was to do.
    "marquee_sync_age_seconds",
    # Films that are still to be fetched from TMDb.
    "marquee_sync_waiting_films",
]

# Hot reads take well under a millisecond; the client's own default begins at 5 ms.
_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


def count(name: CounterName, amount: float = 1, **labels: str) -> None:
    """So many more of it."""
    _counter(name, tuple(labels)).labels(*labels.values()).inc(amount)


def observe_seconds(name: HistogramName, seconds: float, **labels: str) -> None:
    """It took so long this time."""
    _histogram(name, tuple(labels)).labels(*labels.values()).observe(seconds)


def set_gauge(name: GaugeName, value: float, **labels: str) -> None:
    """It stands at so much now."""
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


def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view is given one
    """The metrics of this process."""
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def serve_metrics(port: int) -> None:
    """Answer ``/metrics`` from a thread, for processes that serve nothing else."""
    start_http_server(port)


def serve_metrics_of(directory: str, port: int) -> None:
    """The same for all processes together that count in the files of a directory."""
    together = CollectorRegistry()
    MultiProcessCollector(together, directory)  # type: ignore[no-untyped-call] # it has no types
    start_http_server(port, registry=together)


def correlation_id(request: HttpRequest) -> UUID:
    """The id of the request it all began with: the client's own when it is a UUID, or a new one."""
    try:
        return UUID(request.META["HTTP_X_REQUEST_ID"])
    except (KeyError, ValueError):
        return uuid4()


_BEFORE: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def logging_config(level: str = "INFO") -> dict[str, Any]:
    """Django's LOGGING: our own lines and the libraries' alike as JSON on standard error."""
    structlog.configure(
        processors=[*_BEFORE, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
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
                "foreign_pre_chain": _BEFORE,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        # A refusal is no event worth a line: it is counted, and its client was told.
        "loggers": {
            "django.request": {"level": "CRITICAL"},
            "elastic_transport": {"level": "WARNING"},
            # It would write each address, and TMDb's key may be part of that.
            "httpx": {"level": "WARNING"},
        },
    }
