"""Client of TMDb's API v3: rate-limited, with timeouts and retries.

Connections are kept alive. Safe to use from many threads.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import perf_counter, sleep, time
from typing import Any, Literal, Self, TypeAlias, TypeVar

import httpx
import msgspec

from command_api.catalogue.tmdb.errors import (
    FilmNotFound,
    MalformedResponse,
    MissingApiKey,
    RejectedApiKey,
    TmdbError,
    TmdbPaused,
    TmdbUnavailable,
)
from command_api.catalogue.tmdb.rate_limiter import TmdbRateLimiter
from command_api.catalogue.tmdb.schemas import (
    ErrorResponse,
    FetchedFilm,
    FilmRef,
    FilmResponse,
    GenreList,
    ResultPage,
)
from infra import clients
from infra.backoff import Backoff
from infra.config import Config, config
from infra.observability import count, observe_seconds

T = TypeVar("T")
Window: TypeAlias = Literal["day", "week"]
ListName: TypeAlias = Literal["popular", "top_rated"]

TRIES = 4
LAST_PAGE = 500
CONNECTIONS = 16
LONGEST_DELAY_SECONDS = 86_400.0
"""Upper limit of TMDb's Retry-After."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 2.0
_APPENDED = "credits,keywords,external_ids,translations"
# TMDb's own codes: proxies on the way answer 401, 403 and 404, too.
_UNAUTHORIZED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_REJECTED_KEY_CODES = frozenset({3, 7, 10, 14})
_NOT_FOUND_CODES = frozenset({6, 34})


class TmdbClient:
    """TMDb's API v3; the connections are closed at the end of the block."""

    def __init__(
        self,
        http: httpx.Client,
        rate_limiter: TmdbRateLimiter,
        *,
        sleep: Callable[[float], object] = sleep,
    ) -> None:
        self._http = http
        self._rate_limiter = rate_limiter
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def film(self, film_id: int, etag: str | None = None) -> FetchedFilm:
        """A film with all details, or ``film=None`` if its ETag is unchanged.

        Raises FilmNotFound; MalformedResponse names the film.
        """
        try:
            response = self._get(f"movie/{film_id}", {"append_to_response": _APPENDED}, etag)
        except FilmNotFound as error:
            raise FilmNotFound(f"TMDb has no film {film_id}") from error
        etag = response.headers.get("ETag", etag)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            return FetchedFilm(None, etag)
        return FetchedFilm(_read(response, FilmResponse, f"film {film_id}"), etag)

    def trending(self, window: Window, page: int) -> ResultPage[FilmRef]:
        response = self._get(f"trending/movie/{window}", {"page": page})
        return _read(response, ResultPage[FilmRef], f"trending of the {window}, page {page}")

    def listed(self, name: ListName, page: int) -> ResultPage[FilmRef]:
        return _read(
            self._get(f"movie/{name}", {"page": page}), ResultPage[FilmRef], f"{name}, {page}"
        )

    def changes(self, first: date, last: date, from_page: int = 1) -> Iterator[ResultPage[FilmRef]]:
        """Films changed between two dates, at most 14 days apart, from one page on."""
        number = pages = from_page
        while number <= min(pages, LAST_PAGE):
            days = {"start_date": first.isoformat(), "end_date": last.isoformat()}
            response = self._get("movie/changes", {**days, "page": number})
            page = _read(response, ResultPage[FilmRef], f"changes, page {number}")
            pages, number = page.total_pages, number + 1
            yield page

    def genres(self) -> GenreList:
        return _read(self._get("genre/movie/list", {}), GenreList, "genres")

    def reset(self) -> None:
        self._rate_limiter.reset()

    # ---------------------------------------------------------------------------- requests

    def _get(self, path: str, query: Mapping[str, Any], etag: str | None = None) -> httpx.Response:
        """The response, 200 or 304, after some retries; raises a TmdbError."""
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, jitter=True)
        for _ in range(TRIES - 1):
            try:
                return self._try(path, query, etag)
            except TmdbPaused:
                raise
            except TmdbUnavailable:
                self._sleep(backoff.next_seconds())
        return self._try(path, query, etag)

    def _try(self, path: str, query: Mapping[str, Any], etag: str | None) -> httpx.Response:
        slot = self._rate_limiter.acquire()
        begun = perf_counter()
        try:
            response = self._send(path, query, etag)
        except TmdbError as fault:
            count("marquee_tmdb_requests_total", outcome=fault.outcome)
            raise
        finally:
            what = "film" if path[-1].isdecimal() else path
            observe_seconds("marquee_tmdb_seconds", perf_counter() - begun, what=what)
            self._rate_limiter.release(slot)
        count("marquee_tmdb_requests_total", outcome="answered")
        return response

    def _send(self, path: str, query: Mapping[str, Any], etag: str | None) -> httpx.Response:
        try:
            headers = {"If-None-Match": etag} if etag else {}
            response = self._http.get(path, params=dict(query), headers=headers)
        except httpx.HTTPError as error:
            self._rate_limiter.record_failure()
            raise TmdbUnavailable(
                f"TMDb is unreachable: {type(error).__name__}: {error}"
            ) from error
        self._raise_for_error(response)
        self._rate_limiter.record_success()
        return response

    def _raise_for_error(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.NOT_MODIFIED or (status == HTTPStatus.OK and _is_json(response)):
            return
        code, message = _problem(response)
        if status == HTTPStatus.NOT_FOUND and code in _NOT_FOUND_CODES:
            self._rate_limiter.record_success()
            raise FilmNotFound(message)
        if status in _UNAUTHORIZED and code in _REJECTED_KEY_CODES:
            self._rate_limiter.record_rejected_key()
            raise RejectedApiKey
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = _retry_after(response)
            self._rate_limiter.pause(seconds)
            raise TmdbUnavailable(f"TMDb's rate limit: retry in {seconds:.0f} s", seconds=seconds)
        self._rate_limiter.record_failure()
        raise TmdbUnavailable(f"TMDb answered {status}: {message}")


def connect(settings: Config | None = None) -> TmdbClient:
    """A client for the given settings, by default the configuration; raises MissingApiKey."""
    settings = settings or config()
    key = settings.tmdb_token or settings.tmdb_key
    if not key:
        raise MissingApiKey
    token = settings.tmdb_token
    http = httpx.Client(
        base_url=settings.tmdb_url,
        params={"language": settings.tmdb_language} | ({} if token else {"api_key": key}),
        headers={"Accept": "application/json"}
        | ({"Authorization": f"Bearer {token}"} if token else {}),
        timeout=settings.tmdb_timeout_seconds,
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
    )
    rate_limiter = TmdbRateLimiter(
        clients.redis(),
        key=key,
        per_second=settings.tmdb_per_second,
        patience_seconds=settings.tmdb_patience_seconds,
    )
    return TmdbClient(http, rate_limiter)


def _is_json(response: httpx.Response) -> bool:
    """Whether the body is complete JSON: a truncated one is worth a retry."""
    try:
        msgspec.json.decode(response.content, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


def _read(response: httpx.Response, schema: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(response.content, type=schema)
    except msgspec.DecodeError as error:
        count("marquee_tmdb_requests_total", outcome="unreadable")
        raise MalformedResponse(f"TMDb's {what} can't be read: {error}") from error


def _problem(response: httpx.Response) -> tuple[int, str]:
    """TMDb's error code, 0 without one, and its message."""
    try:
        problem = msgspec.json.decode(response.content, type=ErrorResponse)
    except msgspec.DecodeError:
        return 0, f"no JSON but {response.headers.get('Content-Type', 'something')}"
    message = problem.status_message.replace("\x00", "")
    return problem.status_code, f"{message} (code {problem.status_code})"


def _retry_after(response: httpx.Response) -> float:
    """Seconds of Retry-After, a number or a date; 1 when it can't be parsed."""
    text = response.headers.get("Retry-After", "")
    if text.isdecimal():
        return min(float(text), LONGEST_DELAY_SECONDS)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time()
    except (ValueError, OverflowError):
        return 1.0
    return min(max(1.0, seconds), LONGEST_DELAY_SECONDS)
