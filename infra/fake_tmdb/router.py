"""Routes of the fake TMDb server: path and query to status and payload."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from infra.fake_tmdb import payloads
from infra.fake_tmdb.films import FilmCatalogue

PAGE, CHANGES_PAGE, LAST_PAGE = 20, 100, 500
MOST_APPENDED, LONGEST_RANGE = 20, timedelta(days=14)


class ApiResponse(NamedTuple):
    status: int
    body: Mapping[str, Any]


class ApiError(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = ApiResponse(status, payloads.problem(code, message))


def not_found() -> ApiError:
    """TMDb's code 34."""
    return ApiError(404, 34, "The resource you requested could not be found.")


def answer(films: FilmCatalogue, path: str, query: Mapping[str, str]) -> ApiResponse:
    """The response to GET of a path below /3."""
    try:
        return ApiResponse(200, _find(films, path.strip("/").split("/"), query))
    except ApiError as refusal:
        return refusal.answer


def _find(films: FilmCatalogue, words: list[str], query: Mapping[str, str]) -> Mapping[str, Any]:  # noqa: PLR0911 - a line a path
    match words:
        case ["configuration"]:
            return payloads.CONFIGURATION
        case ["genre", "movie", "list"]:
            return {"genres": films.genres}
        case ["trending", "movie", ("day" | "week") as window]:
            trending = [payloads.listed(film) for film in films.trending(window)]
            kind = {"media_type": "movie"}
            return payloads.page([film | kind for film in trending], _page(query), PAGE)
        case ["movie", ("popular" | "top_rated") as name]:
            number = _page(query)
            listed = films.listed(name)
            results = [
                payloads.listed(film) for film in listed[(number - 1) * PAGE : number * PAGE]
            ]
            return payloads.page(listed, number, PAGE) | {"results": results}
        case ["movie", "changes"]:
            changed: list[Any] = [
                {"id": film, "adult": False} for film in films.changed(*_range(query))
            ]
            return payloads.page(changed, _page(query), CHANGES_PAGE)
        case ["search", "movie"]:
            hits = [payloads.listed(film) for film in films.search(query.get("query", ""))]
            return payloads.page(hits, _page(query), PAGE)
        case ["movie", film_id] if film_id.isdecimal():
            if (film := films.get(int(film_id))) is None:
                raise not_found()
            return payloads.details(film, _appended(query))
        case _:
            raise not_found()


def _page(query: Mapping[str, str]) -> int:
    number = query.get("page", "1")
    if not number.isdecimal() or not 1 <= int(number) <= LAST_PAGE:
        raise ApiError(
            400,
            22,
            "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer.",
        )
    return int(number)


def _range(query: Mapping[str, str]) -> tuple[date, date]:
    today = datetime.now(UTC).date()
    try:
        last = date.fromisoformat(query.get("end_date", today.isoformat()))
        yesterday = (last - timedelta(days=1)).isoformat()
        first = date.fromisoformat(query.get("start_date", yesterday))
    except ValueError as error:
        raise ApiError(400, 23, "Invalid date: Format needs to be YYYY-MM-DD.") from error
    if last - first > LONGEST_RANGE:
        raise ApiError(422, 20, "Invalid date range: Should be a range no longer than 14 days.")
    return first, last


def _appended(query: Mapping[str, str]) -> list[str]:
    requested = [name for name in query.get("append_to_response", "").split(",") if name]
    if len(requested) > MOST_APPENDED:
        raise ApiError(
            400,
            27,
            "Too many append to response objects: The maximum number of remote calls is 20.",
        )
    return requested
