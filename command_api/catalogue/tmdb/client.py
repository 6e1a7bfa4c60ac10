"""How is TMDb asked?

Connections are kept; every question waits for its turn, is given up after a while, and asked a few
times more when the fault may pass. Safe to use from many threads.
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
"""That TMDb can impose, whatever it says."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 2.0
_APPENDED = "credits,keywords,external_ids,translations"
# What TMDb's own codes mean; others than TMDb on the way answer 401, 403 and 404, too.
_REFUSING = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_REFUSED_KEY = frozenset({3, 7, 10, 14})
_NO_SUCH_THING = frozenset({6, 34})


class TmdbClient:
    """Asks TMDb's API v3; its connections end with the block."""

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

    def film(self, film_id: int, mark: str | None = None) -> FetchedFilm:
        """A film in full, or ``film=None`` when its ETag is still ``mark``.

        Raises FilmNotFound; MalformedResponse names the film.
        """
        try:
            answer = self._get(f"movie/{film_id}", {"append_to_response": _APPENDED}, mark)
        except FilmNotFound as error:
            raise FilmNotFound(f"TMDb has no film {film_id}") from error
        mark = answer.headers.get("ETag", mark)
        if answer.status_code == HTTPStatus.NOT_MODIFIED:
            return FetchedFilm(None, mark)
        return FetchedFilm(_read(answer, FilmResponse, f"film {film_id}"), mark)

    def trending(self, window: Window, page: int) -> ResultPage[FilmRef]:
        """A page of what is in fashion."""
        answer = self._get(f"trending/movie/{window}", {"page": page})
        return _read(answer, ResultPage[FilmRef], f"trending of the {window}, page {page}")

    def listed(self, name: ListName, page: int) -> ResultPage[FilmRef]:
        """A page of a list of films."""
        return _read(
            self._get(f"movie/{name}", {"page": page}), ResultPage[FilmRef], f"{name}, {page}"
        )

    def changes(self, first: date, last: date, number: int = 1) -> Iterator[ResultPage[FilmRef]]:
        """What changed on these days, at most 14, page by page, from that one on."""
        pages = number
        while number <= min(pages, LAST_PAGE):
            days = {"start_date": first.isoformat(), "end_date": last.isoformat()}
            answer = self._get("movie/changes", {**days, "page": number})
            page = _read(answer, ResultPage[FilmRef], f"changes, page {number}")
            pages, number = page.total_pages, number + 1
            yield page

    def genres(self) -> GenreList:
        """The words that it has for genres."""
        return _read(self._get("genre/movie/list", {}), GenreList, "genres")

    def reset(self) -> None:
        """Forget that it refused the key or failed: somebody wants to know."""
        self._rate_limiter.reset()

    # ------------------------------------------------------------------------------ asking

    def _get(self, path: str, query: Mapping[str, Any], mark: str | None = None) -> httpx.Response:
        """The response, 200 or 304, after some retries; raises a TmdbError."""
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, jitter=True)
        for _ in range(TRIES - 1):
            try:
                return self._try(path, query, mark)
            except TmdbPaused:
                raise
            except TmdbUnavailable:
                self._sleep(backoff.next_seconds())
        return self._try(path, query, mark)

    def _try(self, path: str, query: Mapping[str, Any], mark: str | None) -> httpx.Response:
        slot = self._rate_limiter.take()
        begun = perf_counter()
        try:
            answer = self._ask(path, query, mark)
        except TmdbError as fault:
            count("marquee_tmdb_requests_total", outcome=fault.outcome)
            raise
        finally:
            what = "film" if path[-1].isdecimal() else path
            observe_seconds("marquee_tmdb_seconds", perf_counter() - begun, what=what)
            self._rate_limiter.answered(slot)
        count("marquee_tmdb_requests_total", outcome="answered")
        return answer

    def _ask(self, path: str, query: Mapping[str, Any], mark: str | None) -> httpx.Response:
        try:
            headers = {"If-None-Match": mark} if mark else {}
            answer = self._http.get(path, params=dict(query), headers=headers)
        except httpx.HTTPError as error:
            self._rate_limiter.failed()
            raise TmdbUnavailable(f"TMDb is away: {type(error).__name__}: {error}") from error
        self._judge(answer)
        self._rate_limiter.succeeded()
        return answer

    def _judge(self, answer: httpx.Response) -> None:
        """Raise what an answer means that is none."""
        status = answer.status_code
        code = _code(answer)
        if status == HTTPStatus.NOT_FOUND and code in _NO_SUCH_THING:
            self._rate_limiter.succeeded()
            raise FilmNotFound(_words(answer))
        if status in _REFUSING and code in _REFUSED_KEY:
            self._rate_limiter.refused()
            raise RejectedApiKey
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = _retry_after(answer)
            self._rate_limiter.delay(seconds)
            raise TmdbUnavailable(f"TMDb limits us for {seconds:.0f} s", seconds=seconds)
        if status == HTTPStatus.NOT_MODIFIED:
            return
        if status != HTTPStatus.OK or not _is_json(answer):
            self._rate_limiter.failed()
            raise TmdbUnavailable(f"TMDb answered {status}: {_words(answer)}")


def connect(found: Config | None = None) -> TmdbClient:
    """A client as the settings say; raises MissingApiKey when there is no key."""
    found = found or config()
    key = found.tmdb_token or found.tmdb_key
    if not key:
        raise MissingApiKey
    http = httpx.Client(
        base_url=found.tmdb_url,
        params={"language": found.tmdb_language} | _as_parameter(found),
        headers={"Accept": "application/json"} | _as_header(found),
        timeout=found.tmdb_timeout_seconds,
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
    )
    rate_limiter = TmdbRateLimiter(
        clients.redis(),
        key=key,
        per_second=found.tmdb_per_second,
        patience_seconds=found.tmdb_patience_seconds,
    )
    return TmdbClient(http, rate_limiter)


def _as_header(found: Config) -> dict[str, str]:
    return {"Authorization": f"Bearer {found.tmdb_token}"} if found.tmdb_token else {}


def _as_parameter(found: Config) -> dict[str, str]:
    return {} if found.tmdb_token else {"api_key": found.tmdb_key}


def _is_json(answer: httpx.Response) -> bool:
    """Whether it is whole, too: a cut or torn one may be asked for again."""
    try:
        msgspec.json.decode(answer.content, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


def _read(answer: httpx.Response, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        count("marquee_tmdb_requests_total", outcome="unreadable")
        raise MalformedResponse(f"TMDb's {what} can't be read: {error}") from error


def _code(answer: httpx.Response) -> int:
    """Its number for what it says when it says no; 0: none."""
    if answer.status_code in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
        return 0
    try:
        return msgspec.json.decode(answer.content, type=ErrorResponse).status_code
    except msgspec.DecodeError:
        return 0


def _words(answer: httpx.Response) -> str:
    """What it says, in a few words."""
    try:
        problem = msgspec.json.decode(answer.content, type=ErrorResponse)
    except msgspec.DecodeError:
        return f"no JSON but {answer.headers.get('Content-Type', 'something')}"
    message = problem.status_message.replace("\x00", "")
    return f"{message} (code {problem.status_code})"


def _retry_after(answer: httpx.Response) -> float:
    """Seconds; a date is allowed, too. What can't be read is taken for one second."""
    text = answer.headers.get("Retry-After", "")
    if text.isdecimal():
        return min(float(text), LONGEST_DELAY_SECONDS)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time()
    except (ValueError, OverflowError):
        return 1.0
    return min(max(1.0, seconds), LONGEST_DELAY_SECONDS)
