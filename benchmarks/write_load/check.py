"""Compares the query API's answers with the ledger: finds lost and doubled writes.

It reads as any client does. No one else may have written to these movies meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import sleep
from typing import Any

import httpx

from benchmarks.write_load.ledger import Ledger, LoadUser

_SHOWN = 20


@dataclass
class CheckResult:
    """Differences between the query API's answers and the ledger."""

    values: int = 0
    """Number of compared values: ratings, favourites, playlists, their movies, and votes."""
    lost: int = 0
    """Accepted writes that are missing, or whose value is an older one."""
    twice: int = 0
    """Values that are there more often than they were accepted."""
    shown: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether no write was lost or doubled."""
        return not self.lost and not self.twice

    def compare(self, what: str, *, is_there: object, accepted: object) -> None:
        """Compare one value."""
        self.values += 1
        if is_there != accepted:
            self.lost += 1
            self._show(f"{what}: is {is_there}, accepted was {accepted}")

    def count(self, what: str, *, is_there: int, accepted: int) -> None:
        """Compare a count."""
        self.values += 1
        self.lost += max(0, accepted - is_there)
        self.twice += max(0, is_there - accepted)
        if is_there != accepted:
            self._show(f"{what}: {is_there} are there, {accepted} were accepted")

    def _show(self, line: str) -> None:
        if len(self.shown) < _SHOWN:
            self.shown.append(line)


def check(ledger: Ledger, query_url: str, tokens: Mapping[str, str], *, movies: int) -> CheckResult:
    """Compare all of the ledger, once the read models are up to date; ``tokens`` by user id."""
    result = CheckResult()
    with httpx.Client(base_url=query_url, timeout=30) as client:
        for person in ledger.people:
            headers = {"Authorization": f"Bearer {tokens[person.account.id]}"}
            _person(result, client, headers, person)
        for movie in range(1, movies + 1):
            votes = _get(client, f"/v1/movies/{movie}", {})["community"]
            _votes(result, movie, votes, ledger.histogram(movie))
    return result


def _person(
    result: CheckResult, client: httpx.Client, headers: Mapping[str, str], person: LoadUser
) -> None:
    username = person.account.username
    ratings = list(_all(client, "/v1/me/ratings", headers))
    result.count(f"{username}'s ratings", is_there=len(ratings), accepted=len(person.ratings))
    scores = {item["id"]: item["score"] for item in ratings}
    for movie in sorted(scores.keys() | person.ratings):
        result.compare(
            f"{username}'s rating of {movie}",
            is_there=scores.get(movie),
            accepted=person.ratings.get(movie),
        )
    favourites = [item["id"] for item in _all(client, "/v1/me/favourites", headers)]
    result.count(
        f"{username}'s favourites", is_there=len(favourites), accepted=len(person.favourites)
    )
    for movie in sorted(person.favourites | set(favourites)):
        result.compare(
            f"{movie} as {username}'s favourite",
            is_there=movie in favourites,
            accepted=movie in person.favourites,
        )
    _playlists(result, client, headers, person)


def _playlists(
    result: CheckResult, client: httpx.Client, headers: Mapping[str, str], person: LoadUser
) -> None:
    username = person.account.username
    playlists = {item["id"]: item for item in _all(client, "/v1/me/playlists", headers)}
    result.count(f"{username}'s playlists", is_there=len(playlists), accepted=len(person.playlists))
    for playlist_id, playlist in person.playlists.items():
        is_there = playlists.get(playlist_id)
        if is_there is None:
            result.compare(f"{username}'s {playlist.name}", is_there=None, accepted=playlist_id)
            continue
        movies = [item["id"] for item in _all(client, f"/v1/playlists/{playlist_id}", headers)]
        result.count(playlist.name, is_there=len(movies), accepted=len(playlist.movies))
        result.count(playlist.name, is_there=is_there["size"], accepted=len(playlist.movies))
        result.compare(playlist.name, is_there=movies, accepted=playlist.movies)
        result.compare(playlist.name, is_there=is_there["name"], accepted=playlist.name)
        result.count(
            f"changes of {playlist.name}",
            is_there=is_there["version"],
            accepted=playlist.version,
        )


def _votes(result: CheckResult, movie: int, votes: Mapping[str, Any], accepted: list[int]) -> None:
    result.count(f"votes for {movie}", is_there=votes["count"], accepted=sum(accepted))
    for score, (have, had) in enumerate(zip(votes["histogram"], accepted, strict=True), start=1):
        result.count(f"{score} points for {movie}", is_there=have, accepted=had)


def _all(client: httpx.Client, path: str, headers: Mapping[str, str]) -> Iterator[Any]:
    """Yield the items of all pages."""
    parameters = {"limit": "100"}
    while True:
        page = _get(client, path, headers, parameters)
        yield from page["items"]
        if page["next"] is None:
            return
        parameters["cursor"] = page["next"]


def histograms(client: httpx.Client, movies: Iterable[int]) -> dict[int, list[int]]:
    """The current histogram of votes of each movie."""
    return {
        movie: _get(client, f"/v1/movies/{movie}", {})["community"]["histogram"] for movie in movies
    }


def _get(
    client: httpx.Client,
    path: str,
    headers: Mapping[str, str],
    parameters: Mapping[str, str] | None = None,
) -> Any:
    answer = client.get(path, headers=headers, params=parameters)
    while answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        sleep(float(answer.headers.get("Retry-After", "1")))
        answer = client.get(path, headers=headers, params=parameters)
    return answer.raise_for_status().json()
