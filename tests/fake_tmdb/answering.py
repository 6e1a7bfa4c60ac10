"""What is the answer to a question, all being well?"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from tests.fake_tmdb import shapes
from tests.fake_tmdb.films import Films

PAGE, CHANGES_PAGE, LAST_PAGE = 20, 100, 500
MOST_APPENDED, LONGEST_RANGE = 20, timedelta(days=14)


class Answer(NamedTuple):
    """A status and what is said with it."""

    status: int
    body: Mapping[str, Any]


class Refusal(Exception):
    """It says no."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, shapes.problem(code, message))


def not_found() -> Refusal:
    """34: there is no such thing."""
    return Refusal(404, 34, "The resource you requested could not be found.")


def answer(films: Films, path: str, query: Mapping[str, str]) -> Answer:
    """The answer to a GET of a path below /3."""
    try:
        return Answer(200, _find(films, path.strip("/").split("/"), query))
    except Refusal as refusal:
        return refusal.answer


def _find(films: Films, words: list[str], query: Mapping[str, str]) -> Mapping[str, Any]:  # noqa: PLR0911 - a line a path
    match words:
        case ["configuration"]:
            return shapes.CONFIGURATION
        case ["genre", "movie", "list"]:
            return {"genres": films.genres}
        case ["trending", "movie", ("day" | "week") as window]:
            trending = [shapes.listed(film) for film in films.trending(window)]
            kind = {"media_type": "movie"}
            return shapes.page([film | kind for film in trending], _page(query), PAGE)
        case ["movie", ("popular" | "top_rated") as name]:
            number = _page(query)
            found = films.listed(name)
            some = [shapes.listed(film) for film in found[(number - 1) * PAGE : number * PAGE]]
            return shapes.page(found, number, PAGE) | {"results": some}
        case ["movie", "changes"]:
            changed: list[Any] = [
                {"id": film, "adult": False} for film in films.changed(*_range(query))
            ]
            return shapes.page(changed, _page(query), CHANGES_PAGE)
        case ["search", "movie"]:
            hits = [shapes.listed(film) for film in films.search(query.get("query", ""))]
            return shapes.page(hits, _page(query), PAGE)
        case ["movie", film_id] if film_id.isdecimal():
            if (film := films.get(int(film_id))) is None:
                raise not_found()
            return shapes.details(film, _appended(query))
        case _:
            raise not_found()


def _page(query: Mapping[str, str]) -> int:
    number = query.get("page", "1")
    if not number.isdecimal() or not 1 <= int(number) <= LAST_PAGE:
        raise Refusal(
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
        raise Refusal(400, 23, "Invalid date: Format needs to be YYYY-MM-DD.") from error
    if last - first > LONGEST_RANGE:
        raise Refusal(422, 20, "Invalid date range: Should be a range no longer than 14 days.")
    return first, last


def _appended(query: Mapping[str, str]) -> list[str]:
    wanted = [name for name in query.get("append_to_response", "").split(",") if name]
    if len(wanted) > MOST_APPENDED:
        raise Refusal(
            400,
            27,
            "Too many append to response objects: The maximum number of remote calls is 20.",
        )
    return wanted
