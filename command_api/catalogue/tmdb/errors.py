"""Errors of the TMDb client.

TmdbError
├── MissingApiKey       no key is configured
├── RejectedApiKey      TMDb refused the key; not sent again until it changes or a person retries
├── TmdbUnavailable     retry later: unreachable, slow, broken or rate-limited
│   └── TmdbPaused      all workers pause for longer than the caller's patience
├── FilmNotFound        TMDb has no such film, or no longer
└── MalformedResponse   JSON without a field that is needed
"""

from typing import ClassVar


class TmdbError(Exception):
    """A request to TMDb failed; ``outcome`` is its label in ``marquee_tmdb_requests_total``."""

    outcome: ClassVar[str] = "tmdbfault"


class MissingApiKey(TmdbError):
    outcome = "nokey"

    def __init__(self) -> None:
        super().__init__("TMDb needs a key: set MARQUEE_TMDB_TOKEN (or MARQUEE_TMDB_KEY).")


class RejectedApiKey(TmdbError):
    outcome = "wrongkey"

    def __init__(self) -> None:
        super().__init__(
            "TMDb rejected the key: set MARQUEE_TMDB_TOKEN (or MARQUEE_TMDB_KEY) to a valid one."
            " Requests stop until then; manage.py sync_catalogue tries the key again."
        )


class TmdbUnavailable(TmdbError):
    """Retry later; ``seconds`` is the shortest delay, if known."""

    outcome = "away"

    def __init__(self, why: str, *, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


class TmdbPaused(TmdbUnavailable):
    outcome = "resting"


class FilmNotFound(TmdbError):
    outcome = "gone"


class MalformedResponse(TmdbError):
    outcome = "unreadable"
